"""Does a plan's moves in the KV memory."""

from __future__ import annotations

from collections.abc import Sequence

from engine.backend import Backend
from engine.kv_cache.snapshot_store import SnapshotStore
from engine.kv_memory import Clear, Copy, Cut, KvOp, Restore, Save


class KvOpExecutor:
    """Native thread only."""

    def __init__(self, backend: Backend, snapshots: SnapshotStore | None) -> None:
        self._backend = backend
        self._snapshots = snapshots

    def execute(self, moves: Sequence[KvOp]) -> set[int]:
        """Does them in order. The slots of which one could not be done, whose contents then fit no plan. Raises
        NativeFailure."""
        failed: set[int] = set()
        for move in moves:
            slot = move.target if isinstance(move, Copy) else move.slot
            if isinstance(move, Clear):
                failed.discard(slot)
            elif isinstance(move, Copy) and move.source in failed:
                failed.add(slot)
            if slot not in failed and not self._move(move):
                failed.add(slot)
        return failed

    def _move(self, move: KvOp) -> bool:
        match move:
            case Clear(slot=slot):
                self._backend.clear(slot)
            case Cut(slot=slot, n=n):
                if not self._is_held(slot, n):
                    return False
                self._backend.cut(slot, n)
            case Copy(source=source, target=target, n=n):
                if not self._is_held(source, n):
                    return False
                self._backend.copy(source, target, n)
            case Save(slot=slot, tokens=tokens):
                if self._snapshots is not None:
                    self._snapshots.put(tokens, self._backend.save(slot), needed_soon=True)
            case Restore(slot=slot, key=key):
                return self._restore(slot, key)
        return True

    def _is_held(self, slot: int, n: int) -> bool:
        """Whether `slot` can still go back to `n` tokens: a restore just before may have taken what a window left."""
        window = self._backend.limits.window
        return not window or self._backend.first_cached_token(slot) <= max(0, n - window + 1)

    def _restore(self, slot: int, key: str) -> bool:
        if self._snapshots is None:
            return False
        state = self._snapshots.take(key)
        if state is None or not self._backend.restore(slot, state):
            self._snapshots.discard(key)
            return False
        return True
