"""Downloads from a hub that simulates faults. Whatever fails, a file that has the model's final name is complete and
correct."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.library.download import Download, DownloadProgress, Stopped, unfinished_variants
from engine.library.gguf_header import read_header
from engine.library.http_transfer import Transfer
from engine.library.hub import Hub, ModelVariant, RemoteFile, choose_variant
from engine.library.hub_errors import (
    CannotWrite,
    Corrupt,
    DiskFull,
    Gated,
    HubError,
    HubRefused,
    HubUnreachable,
    NothingToDownload,
)
from tests.engine.library.fake_hub import REVISION, FakeHub, FakeRepo, Fault
from tests.model_files.tiny_models import TINY_MODELS

REPO = "makers/Tiny-Chat-GGUF"
NAME = "Tiny-Chat-Q4_K_M.gguf"
FAST_TRANSFER = Transfer(connect_s=2, stall_s=0.3, max_tries=3, retry_delay_s=0.01)


@pytest.fixture
def model(tmp_path: Path) -> bytes:
    return TINY_MODELS["plain"].write(tmp_path / "tiny.gguf").read_bytes()


@pytest.fixture
def fake(model: bytes) -> Iterator[FakeHub]:
    hub = FakeHub({REPO: FakeRepo({"README.md": b"# Tiny", NAME: model})}).start()
    yield hub
    hub.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


def create_download(fake: FakeHub, folder: Path, transfer: Transfer = FAST_TRANSFER) -> Download:
    hub = Hub(fake.endpoint)
    return Download(hub, hub.variants(REPO)[0], folder, transfer)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def ranges(fake: FakeHub) -> list[str]:
    return [path.partition(" ")[2] for path in fake.requests if path.startswith("/bytes/")]


def test_download_without_faults_is_complete_and_verified(fake: FakeHub, folder: Path, model: bytes) -> None:
    reported: list[DownloadProgress] = []
    path = create_download(fake, folder).run(reported.append)
    assert path == folder / NAME
    assert path.read_bytes() == model
    assert names(folder) == [NAME]
    read_header(path)
    assert {each.step for each in reported} == {"fetching", "verifying"}
    assert reported[-1] == DownloadProgress("verifying", len(model), len(model))


@pytest.mark.parametrize("faults", [["cut"], ["cut", "cut", "cut"], ["cut", "503", "cut"], ["429"], ["503", "503"]])
def test_download_resumes_after_cut_connections_and_error_statuses(
    fake: FakeHub, folder: Path, model: bytes, faults: list[Fault]
) -> None:
    fake.faults = list(faults)
    assert create_download(fake, folder).run().read_bytes() == model
    n_cuts = faults.count("cut")
    assert ranges(fake)[-1] == (f"bytes={n_cuts * 1000}-" if n_cuts else "")


def test_download_resumes_after_a_stall(fake: FakeHub, folder: Path, model: bytes) -> None:
    fake.faults = ["stall"]
    started = time.monotonic()
    assert create_download(fake, folder).run().read_bytes() == model
    assert time.monotonic() - started < 5
    assert ranges(fake) == ["", "bytes=1000-"]


def test_download_that_fails_at_every_try_raises_hub_unreachable_and_keeps_partial_file(
    fake: FakeHub, folder: Path, model: bytes
) -> None:
    fake.faults = ["cut", "503", "503", "503"]
    with pytest.raises(HubUnreachable, match="503"):
        create_download(fake, folder).run()
    assert names(folder) == [NAME + ".part", NAME + ".part.json"]
    assert (folder / (NAME + ".part")).read_bytes() == model[:1000]
    again = create_download(fake, folder)
    assert again.n_downloaded == 1000
    assert again.run().read_bytes() == model


@pytest.mark.parametrize("fault", ["corrupt", "more"])
def test_file_with_wrong_checksum_is_deleted(fake: FakeHub, folder: Path, fault: Fault) -> None:
    fake.faults = [fault]
    with pytest.raises(Corrupt) as raised:
        create_download(fake, folder).run()
    assert raised.value.name == NAME
    assert names(folder) == []


@pytest.mark.parametrize("fault", ["no_range", "wrong_range", "416"])
def test_download_resumes_if_server_ignores_or_misreads_the_requested_range(
    fake: FakeHub, folder: Path, model: bytes, fault: Fault
) -> None:
    fake.faults = ["cut", fault]
    assert create_download(fake, folder).run().read_bytes() == model


@pytest.mark.parametrize(("fault", "error"), [("404", HubRefused), ("403", Gated), ("loop", HubUnreachable)])
def test_download_raises_hub_error_for_error_status_or_redirect_loop(
    fake: FakeHub, folder: Path, fault: Fault, error: type[HubError]
) -> None:
    fake.faults = [fault]
    with pytest.raises(error):
        create_download(fake, folder).run()
    assert NAME not in names(folder)


def test_stopped_download_resumes_after_a_restart(fake: FakeHub, folder: Path, model: bytes) -> None:
    fake.bytes_per_s = 100_000
    download = create_download(fake, folder)
    reached = threading.Event()
    outcome: list[BaseException] = []

    def run() -> None:
        try:
            download.run(lambda progress: reached.set() if progress.n_bytes > 20_000 else None)
        except Stopped as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert reached.wait(10)
    started = time.monotonic()
    download.stop.set()
    thread.join()
    assert time.monotonic() - started < 5
    assert len(outcome) == 1
    assert NAME not in names(folder)
    fake.bytes_per_s = 0
    (choice,) = unfinished_variants(folder)
    again = Download(Hub(fake.endpoint), choice, folder, FAST_TRANSFER)
    assert again.n_downloaded > 20_000
    assert again.run().read_bytes() == model
    assert unfinished_variants(folder) == ()
    assert int(ranges(fake)[-1].removeprefix("bytes=").removesuffix("-")) > 20_000


def test_stop_during_a_stall_raises_stopped_promptly(fake: FakeHub, folder: Path) -> None:
    fake.faults = ["stall"]
    download = create_download(fake, folder, Transfer(stall_s=30))
    timer = threading.Timer(0.3, download.stop.set)
    timer.start()
    started = time.monotonic()
    with pytest.raises(Stopped):
        download.run()
    assert time.monotonic() - started < 15
    timer.join()


def test_stop_during_the_retry_delay_raises_stopped(fake: FakeHub, folder: Path) -> None:
    fake.faults = ["503"] * 9
    download = create_download(fake, folder, Transfer(max_tries=9, retry_delay_s=30))
    timer = threading.Timer(0.2, download.stop.set)
    timer.start()
    with pytest.raises(Stopped):
        download.run()
    timer.join()


def test_too_little_disk_space_raises_disk_full_before_the_download(
    fake: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(DiskFull) as raised:
        create_download(fake, folder).run()
    assert raised.value.free == 1000 < raised.value.needed
    assert ranges(fake) == []


def test_disk_full_during_download_raises_disk_full(
    fake: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch, model: bytes
) -> None:
    download = create_download(fake, folder)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Transfer, "fetch", full)
        with pytest.raises(DiskFull):
            download.run()
    assert download.run().read_bytes() == model


def test_folder_that_is_not_writable_raises_cannot_write(fake: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CannotWrite):
        create_download(fake, tmp_path / "file").run()


def test_partial_download_of_another_file_is_discarded(fake: FakeHub, folder: Path, model: bytes) -> None:
    folder.mkdir()
    (folder / (NAME + ".part")).write_bytes(b"something else")
    assert create_download(fake, folder).run().read_bytes() == model
    fake.repos[REPO].files[NAME] = changed = model[:-1] + b"!"
    fake.faults = ["cut", "404"]
    with pytest.raises(HubRefused):
        create_download(fake, folder).run()
    assert (folder / NAME).read_bytes() == model, "the old one stays until the new one is whole"
    assert create_download(fake, folder).run().read_bytes() == changed


def test_existing_file_with_correct_checksum_is_not_downloaded(fake: FakeHub, folder: Path, model: bytes) -> None:
    folder.mkdir()
    (folder / NAME).write_bytes(model)
    create_download(fake, folder).run()
    assert ranges(fake) == []


def test_all_files_of_split_model_are_downloaded(fake: FakeHub, folder: Path, model: bytes) -> None:
    parts = {f"Q8_0/Big-Q8_0-0000{n}-of-00003.gguf": model[:-n] for n in (1, 2, 3)}
    fake.repos[REPO].files = dict(parts)
    fake.faults = ["", "cut"]
    reported: list[DownloadProgress] = []
    download = create_download(fake, folder)
    path = download.run(reported.append)
    assert path.name == "Big-Q8_0-00001-of-00003.gguf"
    assert [(folder / name.partition("/")[2]).read_bytes() for name in parts] == list(parts.values())
    assert reported[-1].n_bytes == download.variant.size_bytes == sum(map(len, parts.values()))


def test_discard_deletes_partial_files_and_keeps_complete_ones(fake: FakeHub, folder: Path) -> None:
    fake.faults = ["cut", "404"]
    download = create_download(fake, folder)
    with pytest.raises(HubRefused):
        download.run()
    download.discard()
    assert names(folder) == []
    download.run()
    download.discard()
    assert names(folder) == [NAME]


@pytest.mark.parametrize(
    "name", ["../evil.gguf", "a/../../evil.gguf", "..\\evil.gguf", ".gguf", "evil.sh", "/evil.gguf"]
)
def test_file_with_hostile_name_is_rejected_or_saved_inside_the_download_folder(folder: Path, name: str) -> None:
    choice = ModelVariant("a/b", "main", "", (RemoteFile(name, 1, "0"),))
    try:
        path = Download(Hub("http://127.0.0.1:1"), choice, folder).path
    except CannotWrite:
        return
    assert path.parent == folder


def test_partial_download_with_invalid_part_json_file_is_not_listed_as_unfinished(folder: Path) -> None:
    folder.mkdir()
    for n, text in enumerate(["", "[]", "{}", '{"choice": {"files": []}}', '{"choice": {"files": [{"name": 1}]}}']):
        (folder / f"{n}.gguf.part.json").write_text(text)
    assert unfinished_variants(folder) == ()
    assert unfinished_variants(folder / "nowhere") == ()


def test_search_lists_models_by_number_of_downloads(fake: FakeHub) -> None:
    fake.repos["others/Tiny-Code-GGUF"] = FakeRepo(
        {}, 90, "mit", True, {"total": 1_500_000_000, "context_length": 4096}
    )
    first, second = Hub(fake.endpoint).search("tiny")
    assert (first.repo, first.name, first.maker) == ("others/Tiny-Code-GGUF", "Tiny Code", "others")
    assert (first.licence, first.gated, first.n_params, first.n_ctx_train) == ("mit", True, 1_500_000_000, 4096)
    assert (second.repo, second.n_params, second.gated) == (REPO, 0, False)
    assert Hub(fake.endpoint).search("nothing of this name") == ()


def test_downloadable_variants_are_listed_largest_first(fake: FakeHub, model: bytes) -> None:
    fake.repos[REPO].files |= {
        "Tiny-Chat-Q8_0.gguf": model + b"12",
        "mmproj-Tiny.gguf": model,
        "big/Tiny-BF16-00001-of-00002.gguf": model,
        "Tiny-F16.bin": model,
    }
    choices = Hub(fake.endpoint).variants(REPO)
    assert [(choice.quantisation, choice.size_bytes - len(model)) for choice in choices] == [("Q8_0", 2), ("Q4_K_M", 0)]
    assert {choice.revision for choice in choices} == {REVISION}
    fake.repos["no/models"] = FakeRepo({"README.md": b""})
    with pytest.raises(NothingToDownload):
        Hub(fake.endpoint).variants("no/models")
    fake.repos["their/terms"] = FakeRepo({}, gated=True)
    with pytest.raises(Gated):
        Hub(fake.endpoint).variants("their/terms")
    with pytest.raises(HubRefused):
        Hub(fake.endpoint).variants("not/there")


def test_search_raises_hub_unreachable_if_the_hub_is_not_available(fake: FakeHub) -> None:
    with pytest.raises(HubUnreachable):
        Hub("http://127.0.0.1:9").search("anything")
    fake.down = True
    with pytest.raises(HubUnreachable):
        Hub(fake.endpoint).search("anything")


def test_stored_hub_token_is_not_sent(fake: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    create_download(fake, folder).run()
    assert fake.authorizations == set()


def option(quantisation: str, size: int) -> ModelVariant:
    return ModelVariant("a/b", "main", quantisation, (RemoteFile(f"m-{quantisation}.gguf", size, ""),))


def test_choose_variant_returns_most_preferred_quantisation_that_fits_into_memory() -> None:
    giga = 10**9
    options = [
        option("BF16", 16 * giga),
        option("Q8_0", 8 * giga),
        option("Q4_K_M", 5 * giga),
        option("Q2_K", 3 * giga),
    ]
    assert choose_variant(options, lambda choice: True).quantisation == "Q4_K_M"
    assert choose_variant(options, lambda choice: choice.size_bytes < 4 * giga).quantisation == "Q2_K"
    assert choose_variant(options, lambda choice: False).quantisation == "Q2_K"
    small = [option("Q8_0", giga // 2), option("Q4_K_M", giga // 3)]
    assert choose_variant(small, lambda choice: True).quantisation == "Q8_0"
    assert choose_variant([option("XYZ", 5)], lambda choice: True).quantisation == "XYZ"


def test_choose_variant_prefers_the_named_file_and_falls_back_if_it_is_gone() -> None:
    options = [option("Q8_0", 8), option("Q4_K_M", 5), option("Q2_K", 3)]
    assert choose_variant(options, lambda choice: False, "m-Q8_0.gguf").quantisation == "Q8_0"
    assert choose_variant(options, lambda choice: True, "m-MXFP4.gguf") == choose_variant(options, lambda choice: True)


def test_draft_models_beside_a_model_are_no_variants(fake: FakeHub, model: bytes) -> None:
    fake.repos["a/b"] = FakeRepo(
        {"mtp-Big-Q8_0.gguf": model, "dflash-kquant.gguf": model, "Big-MTP-Q4_K_M.gguf": model}
    )
    assert [variant.files[0].name for variant in Hub(fake.endpoint).variants("a/b")] == ["Big-MTP-Q4_K_M.gguf"]


def test_huggingface_hub_is_imported_only_on_first_use() -> None:
    code = "import sys, engine.library.download; print('huggingface_hub' in sys.modules, 'httpx2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
