"""Snapshots on disk: what is damaged, foreign or too much goes; what cannot be written costs no answer."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kv_cache import snapshot_file
from engine.kv_cache.snapshot_file import Damaged
from engine.kv_cache.snapshot_owners import delete_snapshots
from engine.kv_cache.snapshot_store import SnapshotStore

OURS, FOREIGN = b"ours".ljust(16), b"foreign".ljust(16)
TOKENS = list(range(100))
STATE = memoryview(b"what the memory held" * 50)


def store(
    folder: Path, cap_bytes: int = 1 << 30, *, fingerprint: bytes = OURS, supports_truncation: bool = True
) -> SnapshotStore:
    return SnapshotStore(folder, fingerprint, cap_bytes, supports_truncation=supports_truncation)


def kept(folder: Path, tokens: list[int] = TOKENS, fingerprint: bytes = OURS) -> Path:
    """A snapshot that an earlier start wrote."""
    path = folder / snapshot_file.file_name(fingerprint, tokens)
    snapshot_file.write(path, fingerprint, tokens, STATE)
    return path


def fetched(snapshots: SnapshotStore, tokens: list[int]) -> bytes | None:
    """What a new start finds on disk for `tokens`."""
    key = snapshots.wanted(tokens, 0)
    if key is None:
        return None
    arrived = threading.Event()
    snapshots.fetch(key, arrived.set)
    assert arrived.wait(5)
    state = snapshots.take(key)
    return None if state is None else bytes(state)


def test_what_was_put_is_there_after_a_restart(tmp_path: Path) -> None:
    first = store(tmp_path / "new")
    first.put(TOKENS, STATE)
    found = first.find([*TOKENS, 7])
    assert found is not None, "not before it is written"
    assert found[1] == TOKENS
    first.close()
    again = store(tmp_path / "new")
    assert fetched(again, [*TOKENS[:60], 7]) == bytes(STATE)
    assert again.wanted([7, 8], 0) is None
    again.close()
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0, "others may read chats"


def test_snapshot_is_deleted_with_the_words_of_its_owner(tmp_path: Path) -> None:
    snapshots = store(tmp_path)
    snapshots.put(TOKENS, STATE)
    snapshots.record_owner(TOKENS, "chat 1")
    snapshots.put([7, 8, 9], STATE)
    snapshots.record_owner([7, 8, 9], "chat 2")
    snapshots.close()
    assert delete_snapshots(tmp_path, ["chat 1"]) == 1
    again = store(tmp_path)
    assert again.wanted(TOKENS, 0) is None
    assert fetched(again, [7, 8, 9]) == bytes(STATE)
    again.close()


@pytest.mark.parametrize("supports_truncation", [True, False])
@pytest.mark.parametrize("needed_soon", [True, False])
def test_what_lies_on_disk_leaves_memory_unless_somebody_will_go_on_from_there(
    tmp_path: Path, *, supports_truncation: bool, needed_soon: bool
) -> None:
    snapshots = store(tmp_path, supports_truncation=supports_truncation)
    snapshots.put(TOKENS, STATE, needed_soon=needed_soon)
    snapshots.close()  # all is written
    found = snapshots.find(TOKENS)
    assert (found is not None) == (needed_soon or not supports_truncation)
    if found is not None:
        assert snapshots.take(found[0]) == STATE
        assert (snapshots.find(TOKENS) is None) == supports_truncation


@settings(max_examples=60, deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.booleans())
def test_damage_anywhere_is_found_and_the_file_removed(
    tmp_path_factory: pytest.TempPathFactory, at: float, flip: int, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("snapshots")
    path = kept(folder)
    data = bytearray(path.read_bytes())
    where = int(at * len(data))
    if cut:
        del data[where:]
    else:
        data[where] ^= flip
    path.write_bytes(data)
    snapshots = store(folder)
    found = fetched(snapshots, TOKENS)
    snapshots.close()
    assert found is None
    assert not path.exists()


def test_files_that_are_none_of_ours_are_left_or_removed(tmp_path: Path) -> None:
    foreign = kept(tmp_path, fingerprint=FOREIGN)
    renamed = kept(tmp_path, [1, 2, 3]).rename(tmp_path / f"{'0' * 32}.kv")
    part = tmp_path / "1.part"
    part.write_bytes(b"of a process that was killed")
    note = tmp_path / "note.txt"
    note.write_text("mine")
    (tmp_path / "noise.kv").write_bytes(os.urandom(300))
    snapshots = store(tmp_path)
    assert fetched(snapshots, TOKENS) is None, "another model's state was offered"
    snapshots.close()
    assert foreign.exists(), "another model's snapshot is still good for that one"
    assert note.exists()
    assert not renamed.exists()
    assert not part.exists()
    assert not (tmp_path / "noise.kv").exists()


def test_the_cap_drops_what_was_used_longest_ago_of_all_models(tmp_path: Path) -> None:
    size = kept(tmp_path, [0, 1]).stat().st_size
    (tmp_path / snapshot_file.file_name(OURS, [0, 1])).unlink()
    old = [kept(tmp_path, [n, n], OURS if n % 2 else FOREIGN) for n in range(4)]
    for n, path in enumerate(old):
        os.utime(path, (1000 + n, 1000 + n))
    snapshots = store(tmp_path, cap_bytes=3 * size)
    assert fetched(snapshots, [1, 1, 1]) == bytes(STATE)  # used now
    snapshots.put([9, 9], STATE)
    snapshots.close()
    assert [path.exists() for path in old] == [False, True, False, True]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3 * size


@pytest.mark.parametrize("supports_truncation", [True, False])
def test_a_longer_one_replaces_what_it_holds_only_where_it_can_be_cut(
    tmp_path: Path, supports_truncation: bool
) -> None:
    snapshots = store(tmp_path, supports_truncation=supports_truncation)
    snapshots.put(TOKENS[:70], STATE)
    snapshots.put([*TOKENS[:60], 500], STATE)  # another branch
    snapshots.put(TOKENS, STATE)
    snapshots.close()
    assert len(list(tmp_path.glob("*.kv"))) == (2 if supports_truncation else 3)
    again = store(tmp_path, supports_truncation=supports_truncation)
    assert again.wanted([*TOKENS[:60], 500, 501], 0) is not None, "the branch is gone"
    cut = again.wanted(TOKENS[:65], 0)
    assert (cut is not None) == supports_truncation, "a state was offered that would have to be cut"
    again.close()


def test_a_full_disk_is_logged_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(os, "fsync", full)
        snapshots = store(tmp_path)
        snapshots.put(TOKENS, STATE)
        found = snapshots.find(TOKENS)
        assert found is not None, "in memory it is good all the same"
        snapshots.close()
    assert "No space left" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_no_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    snapshots = store(tmp_path / "file" / "folder")
    snapshots.put(TOKENS, STATE)
    snapshots.close()
    assert "a snapshot was not written" in caplog.text


def test_a_file_that_goes_while_it_is_wanted(tmp_path: Path) -> None:
    path = kept(tmp_path)
    snapshots = store(tmp_path)
    path.unlink()
    assert fetched(snapshots, TOKENS) is None
    assert snapshots.wanted(TOKENS, 0) is None
    snapshots.close()


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """Written beside and renamed: whoever looks finds the old one or the new one."""
    path = tmp_path / snapshot_file.file_name(OURS, TOKENS)
    done = time.monotonic() + 0.3
    seen = 0

    def write() -> None:
        while time.monotonic() < done:
            snapshot_file.write(path, OURS, TOKENS, STATE)

    writer = threading.Thread(target=write)
    writer.start()
    while time.monotonic() < done:
        try:
            assert bytes(snapshot_file.read_state(path)) == bytes(STATE)
            seen += 1
        except FileNotFoundError:
            pass
        except Damaged:
            pytest.fail("half a file")
    writer.join()
    assert seen
