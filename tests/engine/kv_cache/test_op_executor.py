"""Operations on KV memory that save and restore states."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.backend import Limits
from engine.kv_cache.op_executor import KvOpExecutor
from engine.kv_cache.snapshot_store import SnapshotStore
from engine.kv_memory import Clear, KvOp, Relocate, Reset, Restore, Save
from tests.fakes import FakeBackend, Script

FIRST, SECOND = list(range(100)), list(range(100, 200))


def test_state_is_restored_even_if_a_state_saved_in_the_same_plan_displaces_it(tmp_path: Path) -> None:
    backend = FakeBackend(Script(), Limits(4096, 8, 64))
    snapshots = SnapshotStore(tmp_path, backend.fingerprint, 1 << 30, supports_full_rollback=True, host_cap_bytes=600)
    executor = KvOpExecutor(backend, snapshots)
    backend.slots[0] = list(FIRST)
    assert not executor.execute([Save(0, FIRST), Clear(0)])
    backend.slots[1] = list(SECOND)
    found = snapshots.find(FIRST)
    assert found is not None
    ops: list[KvOp] = [Save(1, SECOND), Clear(1), Reset(), Restore(2, found.key, len(FIRST), keep=False)]
    assert not executor.execute(ops)
    assert backend.slots == {2: FIRST}
    snapshots.close()
    assert snapshots.find_on_disk(FIRST, 0) is not None, "a state that was displaced remains on disk"


def test_state_that_the_backend_refuses_is_deleted(tmp_path: Path) -> None:
    backend = FakeBackend(Script(refuse_states=True), Limits(4096, 8, 64))
    snapshots = SnapshotStore(tmp_path, backend.fingerprint, 1 << 30, supports_full_rollback=True)
    executor = KvOpExecutor(backend, snapshots)
    backend.slots[0] = list(FIRST)
    executor.execute([Save(0, FIRST), Clear(0)])
    found = snapshots.find(FIRST)
    assert found is not None
    assert executor.execute([Restore(0, found.key, len(FIRST))]) == {0}
    assert snapshots.find(FIRST) is None
    snapshots.close()


def test_lack_of_memory_for_a_saved_state_only_loses_that_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(slot: int) -> memoryview:
        raise MemoryError

    backend = FakeBackend(Script(), Limits(4096, 8, 64))
    snapshots = SnapshotStore(tmp_path, backend.fingerprint, 1 << 30, supports_full_rollback=True)
    executor = KvOpExecutor(backend, snapshots)
    backend.slots[0] = list(FIRST)
    monkeypatch.setattr(backend, "save", fail)
    assert not executor.execute([Save(0, FIRST)])
    assert executor.execute([Relocate(0)]) == {0}
    assert snapshots.find(FIRST) is None
    snapshots.close()
