"""Executes the KV memory operations of a batch plan, the scheduler's plan for one decode."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from engine.backend import Backend
from engine.kv_cache.snapshot_store import SnapshotStore
from engine.kv_memory import Clear, Copy, KvOp, Relocate, Reset, Restore, Save, Truncate

log = logging.getLogger(__name__)


class KvOpExecutor:
    """Executes KV memory operations with a backend and a store of saved KV states. Used only on the native thread, the
    one that decodes."""

    def __init__(self, backend: Backend, snapshots: SnapshotStore) -> None:
        self._backend = backend
        self._snapshots = snapshots

    def execute(self, ops: Sequence[KvOp]) -> set[int]:
        """Executes the operations in order. Returns the slots for which an operation failed; the contents of these
        slots are invalid.

        Raises NativeFailure."""
        failed: set[int] = set()
        states = self._take_states(ops)
        for op in ops:
            if isinstance(op, Reset):
                failed.clear()
                self._backend.reset()
                continue
            slot = op.target if isinstance(op, Copy) else op.slot
            if isinstance(op, Clear):
                failed.discard(slot)
            elif isinstance(op, Copy) and op.source in failed:
                failed.add(slot)
            if slot not in failed and not self._execute(op, states):
                failed.add(slot)
        return failed

    def _take_states(self, ops: Sequence[KvOp]) -> dict[str, memoryview]:
        """Takes the states to restore, by key, before the other operations can displace them from host memory."""
        states: dict[str, memoryview] = {}
        for op in ops:
            if isinstance(op, Restore):
                state = self._snapshots.take(op.key, keep=op.keep)
                if state is not None:
                    states[op.key] = state
        return states

    def _execute(self, op: KvOp, states: Mapping[str, memoryview]) -> bool:
        match op:
            case Clear(slot=slot):
                self._backend.clear(slot)
            case Truncate(slot=slot, n=n):
                if not self._holds_window(slot, n):
                    return False
                self._backend.truncate(slot, n)
            case Copy(source=source, target=target, n=n):
                if not self._holds_window(source, n):
                    return False
                self._backend.copy(source, target, n)
            case Save(slot=slot, tokens=tokens, owner=owner, exactness=exactness):
                if not self._snapshots.keep(tokens, owner, exactness) and (state := self._save(slot)) is not None:
                    self._snapshots.put(tokens, state, owner, exactness, needed_soon=True)
            case Restore(slot=slot, key=key):
                return self._restore(slot, key, states.get(key))
            case Relocate(slot=slot):
                state = self._save(slot)
                self._backend.reset()
                return state is not None and self._backend.restore(slot, state)
        return True

    def _save(self, slot: int) -> memoryview | None:
        """Returns the KV state of `slot`; None if there is no host memory for it. Its tokens are then computed
        again."""
        try:
            return self._backend.save(slot)
        except MemoryError:
            log.warning("no memory for the KV state of a prefix")
            return None

    def _holds_window(self, slot: int, n: int) -> bool:
        """Whether `slot` still holds the tokens of the sliding window that ends before token `n`. An earlier restore
        operation of the same plan may have overwritten them."""
        window = self._backend.limits.sliding_window
        return not window or self._backend.first_cached_token(slot) <= max(0, n - window + 1)

    def _restore(self, slot: int, key: str, state: memoryview | None) -> bool:
        if state is None:
            return False
        if self._backend.restore(slot, state):
            return True
        self._snapshots.discard(key)
        return False
