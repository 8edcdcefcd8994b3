"""The scan of model folders, its cache, and the estimates of memory fit and throughput."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest

from engine.backend import LoadSettings
from engine.library import throughput_estimate as throughput_module
from engine.library.gguf_string_arrays import StringArraySkipper, TruncatedArray, walk
from engine.library.memory_fit import estimate_fit, estimate_fit_from_size
from engine.library.model_metadata import ModelMetadata, pretty_name, quantisation_in
from engine.library.model_scan import ModelFile, read_model_file, scan
from engine.library.model_scan_cache import ModelScanCache
from engine.library.split_files import is_continuation_file, read_model, split_paths
from engine.library.throughput_estimate import ThroughputEstimate
from tests.model_files.tiny_models import TINY_MODELS

GIGA = 10**9


def write(path: Path, kind: str = "plain") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return TINY_MODELS[kind].write(path)


def found(*folders: Path, cache: ModelScanCache | None = None) -> list[ModelFile]:
    return list(scan(folders, cache or ModelScanCache(None)).models)


def test_metadata_of_default_model_is_read_from_its_header(model_path: Path) -> None:
    model = read_model_file(model_path, ModelScanCache(None))
    metadata = model.metadata
    assert metadata is not None
    assert (model.name, model.quantisation, model.problem) == ("SmolLM2 135M Instruct", "Q4_1", "")
    assert (metadata.architecture, metadata.n_params, metadata.n_ctx_train) == ("llama", 134_515_008, 8192)
    assert metadata.licence == "apache-2.0"
    assert metadata.has_template
    assert metadata.read_bytes == metadata.weights_bytes == 96_576_768
    assert model.size_bytes == model_path.stat().st_size


def test_scan_lists_each_model_once_and_damaged_files_with_their_problem(tmp_path: Path) -> None:
    write(tmp_path / "a" / "Tiny-One-Q4_0.gguf")
    write(tmp_path / "a" / "b" / "c" / "Tiny-Two.GGUF")
    whole = write(tmp_path / "cut-model.gguf").read_bytes()
    (tmp_path / "cut-model.gguf").write_bytes(whole[:-100])
    (tmp_path / "text.gguf").write_text("no model at all, but long enough for a header")
    (tmp_path / "notes.txt").write_text("GGUF")
    (tmp_path / "folder.gguf").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / "again.gguf").symlink_to(tmp_path / "a" / "b" / "c" / "Tiny-Two.GGUF")
    (tmp_path / "a" / "nowhere.gguf").symlink_to(tmp_path / "gone.gguf")
    models = {model.path.name: model for model in found(tmp_path, tmp_path / "a")}
    assert len(models) == 4
    assert {"Tiny-One-Q4_0.gguf", "cut-model.gguf", "text.gguf"} <= models.keys()
    assert models["cut-model.gguf"].problem == "the file is incomplete; download it again"
    assert models["text.gguf"].problem == "the file is not a GGUF model"
    assert models["Tiny-One-Q4_0.gguf"].problem == ""


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="everything is readable here")
def test_scan_reports_unreadable_folder(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0)
    assert scan([tmp_path], ModelScanCache(None)).unreadable == (tmp_path / "theirs",)


def test_scan_reports_missing_folder_and_lists_models_of_other_folders(tmp_path: Path) -> None:
    write(tmp_path / "here" / "one.gguf")
    result = scan([tmp_path / "gone", tmp_path / "here"], ModelScanCache(None))
    assert result.unreadable == (tmp_path / "gone",)
    assert len(result.models) == 1
    assert result.is_complete


def test_cancelled_scan_is_reported_as_incomplete(tmp_path: Path) -> None:
    for n in range(20):
        write(tmp_path / f"{n}.gguf")
    seen: list[ModelFile] = []
    result = scan([tmp_path], ModelScanCache(None), lambda: len(seen) >= 5, seen.append)
    assert not result.is_complete
    assert len(result.models) == 5


def test_model_file_in_scan_cache_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "library.json"
    one, two = write(tmp_path / "m" / "one.gguf"), write(tmp_path / "m" / "two.gguf", "gemma3")
    (tmp_path / "m" / "bad.gguf").write_text("damaged, but of some length")
    cache = ModelScanCache(file)
    cache.load()
    first = found(tmp_path / "m", cache=cache)
    cache.save()
    read: list[Path] = []

    def counting(path: Path, arrays: StringArraySkipper | None = None) -> object:
        read.append(path)
        return read_model(path, arrays)

    monkeypatch.setattr("engine.library.model_scan.read_model", counting)
    again = ModelScanCache(file)
    again.load()
    assert found(tmp_path / "m", cache=again) == first
    assert read == []
    write(two, "mamba")
    os.utime(two, ns=(1, 1))
    changed = {model.path: model for model in found(tmp_path / "m", cache=again)}
    assert read == [two]
    known = changed[two].metadata
    assert known is not None
    assert known.architecture == "mamba"
    assert changed[one] in first


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": 0}', '{"version": 1}', '{"version": 2, "files": []}', "{", "\x00"]
)
def test_damaged_scan_cache_is_ignored(tmp_path: Path, text: str) -> None:
    (tmp_path / "library.json").write_text(text)
    cache = ModelScanCache(tmp_path / "library.json")
    cache.load()
    write(tmp_path / "one.gguf")
    assert found(tmp_path, cache=cache)[0].metadata is not None


def test_invalid_entry_of_scan_cache_is_ignored(tmp_path: Path) -> None:
    path = write(tmp_path / "one.gguf")
    cache = ModelScanCache(tmp_path / "library.json")
    found(tmp_path, cache=cache)
    cache.save()
    kept = json.loads((tmp_path / "library.json").read_text())
    kept["files"][str(path)][2] = {"name": "only this"}
    (tmp_path / "library.json").write_text(json.dumps(kept))
    again = ModelScanCache(tmp_path / "library.json")
    again.load()
    assert found(tmp_path, cache=again)[0].metadata is not None


def split(folder: Path) -> list[Path]:
    """A model with three tensors, each in a file of its own."""
    folder.mkdir()
    paths = [folder / f"Big-Q8_0-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    for n, path in enumerate(paths):
        writer = gguf.GGUFWriter(path, "llama")
        if n == 0:
            writer.add_context_length(2048)
        writer.add_uint16("split.count", 3)
        writer.add_tensor(f"blk.{n}.weight", np.zeros((32, 32), np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return paths


def test_split_model_is_listed_once(tmp_path: Path) -> None:
    paths = split(tmp_path / "m")
    cache = ModelScanCache(None)
    (model,) = found(tmp_path, cache=cache)
    assert (model.path, model.n_parts, model.name) == (paths[0], 3, "Big")
    assert model.size_bytes == sum(path.stat().st_size for path in paths)
    assert model.metadata is not None
    assert (model.metadata.weights_bytes, model.metadata.n_params) == (3 * 4096, 3 * 1024)
    paths[1].unlink()
    (model,) = found(tmp_path, cache=cache)
    assert model.problem == "1 of its 3 parts are missing"
    assert is_continuation_file(paths[2].name)
    assert not is_continuation_file("model-00001-of-00001.gguf")
    assert split_paths(tmp_path / "x-00001-of-99999.gguf") == [tmp_path / "x-00001-of-99999.gguf"]


def test_adapters_and_image_encoders_are_listed_as_unusable(tmp_path: Path) -> None:
    for name, kind in (("lora", "adapter"), ("eye", "mmproj")):
        writer = gguf.GGUFWriter(tmp_path / f"{name}.gguf", "llama")
        writer.add_type(kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    eye, lora = found(tmp_path)
    assert "image encoder of another model" in eye.problem
    assert lora.problem == "it is an adapter for llama models"


def test_valid_string_arrays_are_skipped_and_truncated_ones_rejected(tmp_path: Path) -> None:
    path = tmp_path / "texts"
    texts = [b"x" * n for n in (0, 1, 200_000, 7, 65_528, 65_536, 3)]
    data = b"".join(len(text).to_bytes(8, "little") + text for text in texts)
    path.write_bytes(b"head" + data + b"tail")
    arrays = StringArraySkipper()
    for _ in range(2):
        with path.open("rb") as file:
            file.seek(4)
            arrays.skip(file, len(texts), 1 << 20)
            assert file.read() == b"tail"
    path.write_bytes(data)
    with path.open("rb") as file, pytest.raises(TruncatedArray):
        walk(file, len(texts), 1000)
    path.write_bytes(data[:-1])
    with path.open("rb") as file, pytest.raises(TruncatedArray):
        walk(file, len(texts), 1 << 20)


def test_readable_name_and_quantisation_are_taken_from_file_name() -> None:
    assert pretty_name("Qwen2.5-7B-Instruct-Q4_K_M.gguf") == "Qwen2.5 7B Instruct"
    assert pretty_name("gemma-3-4b-it-GGUF") == "Gemma 3 4B it"
    assert pretty_name("Llama-3.2-1B-Instruct-IQ4_XS") == "Llama 3.2 1B Instruct"
    assert pretty_name("gpt-oss-20b-mxfp4") == "gpt oss 20B"
    assert quantisation_in("Meta-Llama-3-8B.Q5_K_S.gguf") == "Q5_K_S"
    assert quantisation_in("llama.gguf") == ""


def metadata(model_path: Path, **changes: object) -> ModelMetadata:
    known = read_model_file(model_path, ModelScanCache(None)).metadata
    assert known is not None
    return replace(known, **changes)  # type: ignore[arg-type]


def test_verdict_about_memory_fit_depends_on_free_memory(model_path: Path) -> None:
    known = metadata(model_path)
    roomy = estimate_fit(known, LoadSettings(), 20 * GIGA, 24 * GIGA, 13e9)
    assert (roomy.verdict, roomy.reason, roomy.n_ctx, roomy.n_ctx_best) == ("fits", "", 8192, 8192)
    assert 100 < roomy.tokens_per_s < 130
    little = estimate_fit(known, LoadSettings(), roomy.needed + (300 << 20), 24 * GIGA, 0)
    assert (little.verdict, little.reason, little.tokens_per_s) == ("tight", "little_left", 0)
    short = estimate_fit(known, LoadSettings(), roomy.needed, 24 * GIGA, 0)
    assert (short.verdict, short.reason, short.n_ctx) == ("tight", "short_context", 2048)
    explicit = estimate_fit(known, LoadSettings(n_ctx=8192), roomy.needed, 24 * GIGA, 0)
    assert (explicit.verdict, explicit.reason, explicit.n_ctx_best) == ("too_big", "context", 2048)
    none = estimate_fit(known, LoadSettings(), 200 << 20, GIGA, 0)
    assert (none.verdict, none.reason, none.n_ctx_best) == ("too_big", "weights", 0)
    packed = estimate_fit(known, LoadSettings(kv_type_k="q8_0", kv_type_v="q8_0"), 20 * GIGA, 24 * GIGA, 0)
    assert packed.needed < roomy.needed
    longer = estimate_fit(known, LoadSettings(n_ctx=16_384), 20 * GIGA, 24 * GIGA, 0)
    assert longer.needed > roomy.needed
    assert longer.verdict == "fits"


def test_memory_fit_of_model_on_the_hub_is_approximate() -> None:
    seven = estimate_fit_from_size(4_680_000_000, 7_620_000_000, 32_768, 20 * GIGA, 24 * GIGA, 13e9)
    assert (seven.verdict, seven.reason, seven.is_approximate) == ("slow", "slow", True)
    assert 5 * GIGA < seven.needed < 7 * GIGA
    assert 2 < seven.tokens_per_s < 3
    assert estimate_fit_from_size(4_680_000_000, 0, 0, 4 * GIGA, 8 * GIGA, 0).verdict == "too_big"
    experts = estimate_fit_from_size(12 * GIGA, 20 * GIGA, 0, 20 * GIGA, 24 * GIGA, 13e9, n_active=4 * GIGA)
    assert experts.tokens_per_s > 4


def test_weights_of_inactive_experts_do_not_count_as_read_per_token(tmp_path: Path) -> None:
    known = read_model_file(write(tmp_path / "moe.gguf", "gpt-oss"), ModelScanCache(None)).metadata
    assert known is not None
    assert known.read_bytes < known.weights_bytes


def test_throughput_is_measured_once_and_then_loaded_from_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "machine.json"
    throughput = ThroughputEstimate(file)
    assert (throughput.is_measured, throughput.bytes_per_s) == (False, 0)
    throughput.measure()
    assert throughput.bytes_per_s > 1e8
    monkeypatch.setattr(throughput_module, "measure_bandwidth", lambda n: pytest.fail("it was measured again"))
    again = ThroughputEstimate(file)
    again.measure()
    assert again.bytes_per_s == throughput.bytes_per_s
    assert again.observe(5e9)
    assert not again.observe(5.05e9)
    assert not again.observe(1e9)
    assert not again.observe(1e15), "faster than memory is read"
    third = ThroughputEstimate(file)
    third.measure()
    assert third.bytes_per_s == 5e9


@pytest.mark.parametrize("text", ["", "{}", '{"machine": "another", "memory": 1e9, "shown": 0}'])
def test_stored_memory_bandwidth_that_is_damaged_or_of_another_machine_is_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / "machine.json").write_text(text)
    throughput = ThroughputEstimate(tmp_path / "machine.json")
    throughput.measure()
    assert throughput.is_measured
    assert json.loads((tmp_path / "machine.json").read_text())["memory"] > 1e8
