"""The store of KV snapshots: restarts, damaged and foreign files, the size limit, failures to write."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kv_cache import snapshot_file
from engine.kv_cache.snapshot_owners import delete_snapshots
from engine.kv_cache.snapshot_store import SnapshotStore
from engine.kv_memory import SavedPrefix

OURS, FOREIGN = b"ours".ljust(16), b"foreign".ljust(16)
TOKENS = list(range(100))
OTHERS = list(range(300, 400))
STATE = memoryview(b"what the memory held" * 50)


def store(
    folder: Path,
    cap_bytes: int = 1 << 30,
    *,
    fingerprint: bytes = OURS,
    supports_full_rollback: bool = True,
    host_cap_bytes: int = 1 << 30,
) -> SnapshotStore:
    return SnapshotStore(
        folder,
        fingerprint,
        cap_bytes,
        supports_full_rollback=supports_full_rollback,
        host_cap_bytes=host_cap_bytes,
    )


def write_snapshot(folder: Path, tokens: list[int] = TOKENS, fingerprint: bytes = OURS) -> Path:
    """Writes a KV snapshot as an earlier process would have written it."""
    path = folder / snapshot_file.file_name(fingerprint, tokens)
    snapshot_file.write(path, fingerprint, tokens, STATE)
    return path


def read_from_disk(snapshots: SnapshotStore, tokens: list[int]) -> bytes | None:
    """Reads the KV state of the snapshot on disk that matches `tokens` best."""
    key = snapshots.find_on_disk(tokens, 0)
    if key is None:
        return None
    arrived = threading.Event()
    snapshots.fetch(key, arrived.set)
    assert arrived.wait(5)
    state = snapshots.take(key)
    return None if state is None else bytes(state)


def test_kv_state_is_found_in_memory_before_a_restart_and_on_disk_after_it(tmp_path: Path) -> None:
    first = store(tmp_path / "new")
    first.put(TOKENS, STATE, "")
    found = first.find([*TOKENS, 7])
    assert found is not None, "a state is found before it is written"
    assert found.tokens == TOKENS
    first.close()
    again = store(tmp_path / "new")
    assert read_from_disk(again, [*TOKENS[:60], 7]) == bytes(STATE)
    assert again.find_on_disk([7, 8], 0) is None
    again.close()
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0, "other users can read the folder"


def test_store_without_a_folder_keeps_states_in_host_memory() -> None:
    snapshots = SnapshotStore(None, OURS, 1 << 30, supports_full_rollback=True)
    assert not snapshots.writes_to_disk
    assert snapshots.put(TOKENS[:20], STATE, "", needed_soon=True)
    found = snapshots.find(TOKENS)
    assert found is not None
    assert found == SavedPrefix(found.key, TOKENS[:20])
    assert snapshots.take(found.key) == STATE
    snapshots.close()


def test_host_memory_drops_the_least_recently_used_states_beyond_its_limit(tmp_path: Path) -> None:
    snapshots = store(tmp_path, host_cap_bytes=2 * len(STATE))
    for first in (1, 2):
        snapshots.put([first, *TOKENS], STATE, "", needed_soon=True)
    assert snapshots.keep([1, *TOKENS], "")
    snapshots.put([3, *TOKENS], STATE, "", needed_soon=True)
    assert [snapshots.find([first, *TOKENS]) is not None for first in (1, 2, 3)] == [True, False, True]
    assert not snapshots.keep([2, *TOKENS], "")
    snapshots.close()
    assert snapshots.find_on_disk([2, *TOKENS], 0) is not None, "the dropped state was not written"


def test_host_memory_replaces_shorter_states_of_the_same_tokens_only_with_full_rollback(tmp_path: Path) -> None:
    for supports_full_rollback in (True, False):
        snapshots = store(tmp_path / "none", supports_full_rollback=supports_full_rollback)
        for n in (20, 30):
            snapshots.put(TOKENS[:n], STATE, "", needed_soon=True)
        found = snapshots.find(TOKENS[:25])
        assert found is not None
        assert len(found.tokens) == (30 if supports_full_rollback else 20)
        snapshots.close()


def test_state_that_is_on_disk_is_not_written_again(tmp_path: Path) -> None:
    path = write_snapshot(tmp_path)
    before = path.stat().st_mtime_ns
    snapshots = store(tmp_path)
    snapshots.put(TOKENS, STATE, "", needed_soon=True)
    found = snapshots.find(TOKENS)
    snapshots.close()
    assert found is not None
    assert found.n_saved == len(TOKENS)
    assert path.stat().st_mtime_ns == before


def test_forgetting_an_owner_drops_its_states_from_host_memory(tmp_path: Path) -> None:
    snapshots = store(tmp_path)
    for first, owner in enumerate(("a", "b", "")):
        snapshots.put([first, *TOKENS[:20]], STATE, owner, needed_soon=True)
    assert snapshots.keep([1, *TOKENS[:20]], "c")
    snapshots.forget(["a", "d"])
    assert [snapshots.find([first, *TOKENS]) is not None for first in range(3)] == [False, True, False]
    snapshots.forget(["c"])
    assert snapshots.find([1, *TOKENS]) is not None, "the state has another owner"
    snapshots.forget(["b"])
    assert snapshots.find([1, *TOKENS]) is None
    snapshots.close()


def test_size_of_states_in_host_memory_is_counted_by_owner(tmp_path: Path) -> None:
    snapshots = store(tmp_path)
    for first, owner in enumerate(("a", "a", "b", "")):
        snapshots.put([first, *TOKENS[:20]], STATE, owner, needed_soon=True)
    assert snapshots.keep([3, *TOKENS[:20]], "b")
    assert snapshots.host_bytes_by_owner() == {"a": 2 * len(STATE), "b": 2 * len(STATE)}
    snapshots.forget(["a", "b"])
    assert snapshots.host_bytes_by_owner() == {}
    snapshots.close()


@pytest.mark.parametrize("is_restored", [False, True])
def test_state_that_is_forgotten_before_it_is_written_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_restored: bool
) -> None:
    gate, write = threading.Event(), snapshot_file.write
    written: list[Path] = []

    def gated(path: Path, *arguments: Any) -> None:
        assert gate.wait(20)
        write(path, *arguments)
        written.append(path)

    monkeypatch.setattr(snapshot_file, "write", gated)
    snapshots = store(tmp_path)
    snapshots.put(TOKENS, STATE, "chat", needed_soon=True)
    found = snapshots.find(TOKENS)
    assert found is not None
    if is_restored:
        assert snapshots.take(found.key, keep=False) is not None
    snapshots.forget(["chat"])
    gate.set()
    snapshots.close()
    assert written
    assert not list(tmp_path.glob("*.kv"))


class GatedWrites:
    """Makes the writing of snapshots wait until `gate` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate = threading.Event()
        write = snapshot_file.write

        def gated(*arguments: Any) -> None:
            assert self.gate.wait(20)
            write(*arguments)

        monkeypatch.setattr(snapshot_file, "write", gated)


def test_state_that_is_written_between_both_deletions_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = GatedWrites(monkeypatch)
    snapshots = store(tmp_path)
    snapshots.put(TOKENS, STATE, "chat")
    assert delete_snapshots(tmp_path, ["chat"]) == 0
    writes.gate.set()
    while snapshots.is_writing:
        time.sleep(0.001)
    snapshots.forget(["chat"])
    snapshots.close()
    assert not list(tmp_path.iterdir())


def test_queued_state_of_two_chats_is_deleted_with_the_last_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = GatedWrites(monkeypatch)
    for deleted, other in (("a", "b"), ("b", "a")):
        writes.gate.clear()
        snapshots = store(tmp_path)
        for owner in "ab":
            snapshots.put(TOKENS, STATE, owner)
        snapshots.forget([deleted])
        writes.gate.set()
        snapshots.close()
        assert len(list(tmp_path.glob("*.kv"))) == 1, "the other chat has lost its snapshot"
        again = store(tmp_path)
        again.forget([other])
        again.close()
        assert not list(tmp_path.iterdir())


def test_state_whose_owner_is_deleted_while_it_is_read_does_not_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store(tmp_path)
    first.put(TOKENS, STATE, "chat")
    first.close()
    gate, read, read_state = threading.Event(), threading.Event(), snapshot_file.read_state

    def gated(path: Path) -> memoryview:
        state = read_state(path)
        read.set()
        assert gate.wait(20)
        return state

    monkeypatch.setattr(snapshot_file, "read_state", gated)
    snapshots = store(tmp_path)
    key, arrived = snapshots.find_on_disk(TOKENS, 0), threading.Event()
    assert key is not None
    snapshots.fetch(key, arrived.set)
    assert read.wait(20)
    snapshots.forget(["chat"])
    while list(tmp_path.glob("*.kv")):
        time.sleep(0.001)
    gate.set()
    assert arrived.wait(20)
    assert snapshots.find(TOKENS) is None
    snapshots.close()
    assert not list(tmp_path.iterdir())


def test_deleting_the_snapshots_of_one_owner_keeps_those_of_others(tmp_path: Path) -> None:
    snapshots = store(tmp_path)
    snapshots.put(TOKENS, STATE, "chat 1")
    snapshots.put(OTHERS, STATE, "chat 2")
    snapshots.close()
    assert delete_snapshots(tmp_path, ["chat 1"]) == 1
    again = store(tmp_path)
    assert again.find_on_disk(TOKENS, 0) is None
    assert read_from_disk(again, OTHERS) == bytes(STATE)
    again.close()


@pytest.mark.parametrize("supports_full_rollback", [True, False])
@pytest.mark.parametrize("needed_soon", [True, False])
def test_written_kv_state_stays_in_memory_only_if_needed_soon_or_without_full_rollback(
    tmp_path: Path, *, supports_full_rollback: bool, needed_soon: bool
) -> None:
    snapshots = store(tmp_path, supports_full_rollback=supports_full_rollback)
    snapshots.put(TOKENS, STATE, "", needed_soon=needed_soon)
    snapshots.close()  # waits until everything is written
    found = snapshots.find(TOKENS)
    assert (found is not None) == (needed_soon or not supports_full_rollback)
    if found is not None:
        assert snapshots.take(found.key) == STATE
        assert snapshots.find(TOKENS) == found
        assert snapshots.take(found.key, keep=False) == STATE
        assert (snapshots.find(TOKENS) is None) == supports_full_rollback


@settings(max_examples=60, deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.booleans())
def test_damaged_snapshot_is_detected_and_deleted(
    tmp_path_factory: pytest.TempPathFactory, at: float, flip: int, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("snapshots")
    path = write_snapshot(folder)
    data = bytearray(path.read_bytes())
    where = int(at * len(data))
    if cut:
        del data[where:]
    else:
        data[where] ^= flip
    path.write_bytes(data)
    snapshots = store(folder)
    found = read_from_disk(snapshots, TOKENS)
    snapshots.close()
    assert found is None
    assert not path.exists()


def test_opening_a_store_deletes_invalid_snapshots_and_keeps_other_files(tmp_path: Path) -> None:
    foreign = write_snapshot(tmp_path, fingerprint=FOREIGN)
    renamed = write_snapshot(tmp_path, [1, 2, 3]).rename(tmp_path / f"{'0' * 32}.kv")
    part = tmp_path / "1.part"
    part.write_bytes(b"of a process that was killed")
    os.utime(part, (0, 0))
    written_now = tmp_path / "2.part"
    written_now.write_bytes(b"of another model in this process")
    note = tmp_path / "note.txt"
    note.write_text("mine")
    (tmp_path / "noise.kv").write_bytes(os.urandom(300))
    snapshots = store(tmp_path)
    assert read_from_disk(snapshots, TOKENS) is None, "found the state of another model"
    snapshots.close()
    assert foreign.exists(), "the other model can still use its snapshot"
    assert note.exists()
    assert not renamed.exists()
    assert not part.exists()
    assert written_now.exists()
    assert not (tmp_path / "noise.kv").exists()


def test_size_limit_deletes_least_recently_used_snapshots_of_all_models(tmp_path: Path) -> None:
    size = write_snapshot(tmp_path, OTHERS).stat().st_size
    (tmp_path / snapshot_file.file_name(OURS, OTHERS)).unlink()
    old = [write_snapshot(tmp_path, [n, *TOKENS[1:]], OURS if n % 2 else FOREIGN) for n in range(4)]
    for n, path in enumerate(old):
        os.utime(path, (1000 + n, 1000 + n))
    snapshots = store(tmp_path, cap_bytes=3 * size)
    assert read_from_disk(snapshots, [1, *TOKENS[1:], 1]) == bytes(
        STATE
    )  # reading makes this snapshot the most recently used
    snapshots.put(OTHERS, STATE, "")
    snapshots.close()
    assert [path.exists() for path in old] == [False, True, False, True]
    assert sum(path.stat().st_size for path in tmp_path.glob("*.kv")) <= 3 * size


@pytest.mark.parametrize("supports_full_rollback", [True, False])
def test_snapshot_replaces_snapshots_of_shorter_prefixes_only_with_full_rollback(
    tmp_path: Path, supports_full_rollback: bool
) -> None:
    snapshots = store(tmp_path, supports_full_rollback=supports_full_rollback)
    snapshots.put(TOKENS[:70], STATE, "")
    snapshots.put([*TOKENS[:66], 500], STATE, "")  # a sequence that diverges from TOKENS
    snapshots.put(TOKENS, STATE, "")
    snapshots.close()
    assert len(list(tmp_path.glob("*.kv"))) == (2 if supports_full_rollback else 3)
    again = store(tmp_path, supports_full_rollback=supports_full_rollback)
    assert again.find_on_disk([*TOKENS[:66], 500, 501], 0) is not None, "the snapshot of the other branch was deleted"
    cut = again.find_on_disk(TOKENS[:65], 0)
    assert (cut is not None) == supports_full_rollback, "found a state that would have to be truncated"
    again.close()


def test_writing_a_snapshot_to_a_full_disk_logs_a_warning_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(os, "fsync", full)
        snapshots = store(tmp_path)
        snapshots.put(TOKENS, STATE, "")
        found = snapshots.find(TOKENS)
        assert found is not None, "the state in memory stays usable"
        snapshots.close()
    assert "No space left" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_writing_a_snapshot_logs_a_warning_if_the_folder_cannot_be_created(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    snapshots = store(tmp_path / "file" / "folder")
    snapshots.put(TOKENS, STATE, "")
    snapshots.close()
    assert "a snapshot was not written" in caplog.text


def test_snapshot_file_deleted_after_indexing_is_not_found(tmp_path: Path) -> None:
    path = write_snapshot(tmp_path)
    snapshots = store(tmp_path)
    path.unlink()
    assert read_from_disk(snapshots, TOKENS) is None
    assert snapshots.find_on_disk(TOKENS, 0) is None
    snapshots.close()


def test_snapshot_is_not_visible_to_readers_before_it_is_written_completely(tmp_path: Path) -> None:
    path = tmp_path / snapshot_file.file_name(OURS, TOKENS)
    done = threading.Event()
    seen = 0

    def write() -> None:
        while not done.is_set():
            snapshot_file.write(path, OURS, TOKENS, STATE)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while seen < 200:
            with suppress(FileNotFoundError):
                assert bytes(snapshot_file.read_state(path)) == bytes(STATE)
                seen += 1
    finally:
        done.set()
        writer.join()


def test_kv_state_is_refused_if_it_exceeds_the_queue_limit_while_the_disk_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, writing = threading.Event(), threading.Event()

    def slow(*arguments: object) -> None:
        writing.set()
        assert gate.wait(20)

    monkeypatch.setattr("engine.kv_cache.snapshot_file.write", slow)
    monkeypatch.setattr("engine.kv_cache.snapshot_store.MAX_QUEUED_BYTES", 2500)
    snapshots = store(tmp_path)
    states = [memoryview(bytes(1000)) for _ in range(5)]
    assert [snapshots.put([n, *TOKENS], state, "") for n, state in enumerate(states)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert writing.wait(10)
    assert not snapshots.has_room(1000)
    snapshots.close(timeout_s=0.05)
    gate.set()


def test_kv_state_larger_than_the_queue_limit_is_accepted_if_the_queue_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.kv_cache.snapshot_store.MAX_QUEUED_BYTES", 10)
    snapshots = store(tmp_path)
    assert snapshots.put(TOKENS, memoryview(bytes(1000)), "")
    snapshots.close()
    assert len(list(tmp_path.glob("*.kv"))) == 1


def test_opening_a_store_skips_an_unreadable_snapshot(tmp_path: Path) -> None:
    snapshots = store(tmp_path)
    snapshots.put(TOKENS, memoryview(bytes(1000)), "")
    snapshots.close()
    (tmp_path / "0.kv").mkdir()
    again = store(tmp_path)
    assert again.find_on_disk(TOKENS, 0) is not None
    again.close()


def test_states_of_another_variant_stay_in_host_memory_and_are_found_only_with_it(tmp_path: Path) -> None:
    snapshots = store(tmp_path)
    snapshots.put(TOKENS, STATE, "chat", needed_soon=True)
    snapshots.select(b"half")
    assert not snapshots.writes_to_disk
    assert snapshots.find(TOKENS) is None
    snapshots.put(TOKENS[:80], STATE[:100], "chat", needed_soon=True)
    found = snapshots.find(TOKENS)
    assert found is not None
    assert len(found.tokens) == 80
    assert snapshots.token_lists() == [TOKENS[:80]]
    assert bytes(snapshots.take(found.key) or b"") == bytes(STATE[:100])
    snapshots.put(TOKENS, STATE, "chat", needed_soon=True)
    snapshots.select(b"")
    found = snapshots.find(TOKENS)
    assert found is not None
    assert len(found.tokens) == 100, "a longer state of another variant must not replace this one"
    snapshots.close()
    assert len(list(tmp_path.glob("*.kv"))) == 1
    reopened = store(tmp_path)
    assert read_from_disk(reopened, TOKENS) == bytes(STATE)
    reopened.close()
