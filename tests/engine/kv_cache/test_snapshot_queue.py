"""The queue of snapshots that wait to be written to disk."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from engine.kv_cache import snapshot_store
from engine.kv_cache.snapshot_store import SnapshotStore

TOKENS = list(range(100))


def test_slow_disk_bounds_the_queued_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, writing = threading.Event(), threading.Event()

    def slow(*arguments: object) -> None:
        writing.set()
        assert gate.wait(20)

    monkeypatch.setattr("engine.kv_cache.snapshot_file.write", slow)
    monkeypatch.setattr(snapshot_store, "MAX_QUEUED_BYTES", 2500)
    store = SnapshotStore(tmp_path, b"ours".ljust(16), 1 << 30, supports_full_rollback=True)
    states = [memoryview(bytes(1000)) for _ in range(5)]
    assert [store.put([n, *TOKENS], state) for n, state in enumerate(states)] == [True, True, False, False, False]
    assert writing.wait(10)
    assert not store.has_room(1000)
    store.close(timeout_s=0.05)
    gate.set()


def test_first_state_is_queued_whatever_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_store, "MAX_QUEUED_BYTES", 10)
    store = SnapshotStore(tmp_path, b"ours".ljust(16), 1 << 30, supports_full_rollback=True)
    assert store.put(TOKENS, memoryview(bytes(1000)))
    store.close()
    assert len(list(tmp_path.glob("*.kv"))) == 1


def test_unreadable_snapshot_does_not_hide_others(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, b"ours".ljust(16), 1 << 30, supports_full_rollback=True)
    store.put(TOKENS, memoryview(bytes(1000)))
    store.close()
    (tmp_path / "0.kv").mkdir()
    again = SnapshotStore(tmp_path, b"ours".ljust(16), 1 << 30, supports_full_rollback=True)
    assert again.find_on_disk(TOKENS, 0) is not None
    again.close()
