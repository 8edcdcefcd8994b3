"""Keeps the KV memory compact: idle prefixes leave it for host memory while other sequences run.

Attention covers all cells up to the last one in use, so cells of idle prefixes slow down every decode. And rounding
depends on the cells of a sequence, so a sequence that runs alone lies in the first cells."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from engine.backend import Limits
from engine.kv_memory import MAX_SAVE_S, SAVE_BYTES_PER_S, CachedPrefix, KvMemory, SnapshotIndex
from engine.priority import Priority
from engine.scheduler.sequence import SequenceState

MAX_WASTED_CELLS = 512
"""A sequence that has become the only one is moved to the first cells if attention covers more than this number of
cells that are not its own."""


class KvPlacement:
    """Decides which prefixes leave KV memory. Without `snapshots`, none does."""

    def __init__(self, limits: Limits, cache: KvMemory, snapshots: SnapshotIndex | None) -> None:
        self._limits = limits
        self._cache = cache
        self._snapshots = snapshots
        self._checked: tuple[object, ...] = ()
        """The state of the memory for which `compact` has found nothing more to do."""
        self._is_exact = False

    def clear_for(
        self,
        sequence: SequenceState,
        source: CachedPrefix | None,
        waiting: Collection[SequenceState],
        *,
        is_exact: bool,
    ) -> None:
        """Moves idle prefixes to host memory before `sequence`, the only one, is admitted. The prefix `source`, from
        which the sequence continues, remains, and so do those from which other waiting sequences will continue. With
        `is_exact`, no other cells than those of `source` may remain in use: prefixes that are too large for host memory
        are dropped."""
        self._is_exact = is_exact
        kept = {id(source)} | {id(self._cache.match(each.tokens)[0]) for each in waiting if each is not sequence}
        leaving = [
            prefix for prefix in self._cache.prefixes
            if id(prefix) not in kept
            and self._may_leave(prefix, sequence.priority)
            and (is_exact or self._fits(prefix))
            and not (source is not None and self._must_stay_with(source, prefix))
        ]  # fmt: skip
        self._move_to_host(leaving)

    def compact(self, running: Sequence[SequenceState], *, window_is_decoding: bool) -> None:
        """Moves idle prefixes to host memory if they share no cells with a running sequence, and the only sequence to
        the first cells. While an answer in the app's window is generated, postpones copies that take too long."""
        if not running or self._snapshots is None:
            return
        max_tokens = self._max_copied_tokens() if window_is_decoding else self._limits.n_cells
        self._is_exact = self._is_exact and len(running) == 1
        state = self._state(max_tokens)
        if state == self._checked:
            return
        leaving = self._unattended([each.prefix for each in running if each.prefix is not None])
        priority = min(each.priority for each in running)
        for prefix in leaving:
            n = len(prefix.tokens)
            if n <= max_tokens and self._may_leave(prefix, priority) and self._fits(prefix):
                self._cache.move_to_host(prefix)
                max_tokens -= n
        if len(running) == 1:
            self._move_to_front(running[0], max_tokens // 2)
        self._checked = self._state(max_tokens)

    def clear(self) -> None:
        """Moves all prefixes, which must be idle, to host memory, or drops them."""
        self._move_to_host(self._cache.prefixes)

    def _unattended(self, running: Sequence[CachedPrefix]) -> list[CachedPrefix]:
        """Returns the prefixes that have cells which no running sequence uses."""
        attended = {cell for prefix in running for cell in prefix.cells}
        return [
            prefix for prefix in self._cache.prefixes
            if not attended.issuperset(prefix.cells)
            and not any(self._must_stay_with(each, prefix) for each in running)
        ]  # fmt: skip

    def _must_stay_with(self, source: CachedPrefix, prefix: CachedPrefix) -> bool:
        """Whether a prefix that has a common beginning with `source` remains beside it. With a sliding window, a saved
        state could not be truncated to that beginning."""
        return bool(self._limits.sliding_window) and not self._is_exact and prefix.cells[:1] == source.cells[:1]

    def _move_to_host(self, prefixes: Sequence[CachedPrefix]) -> None:
        """Moves prefixes to host memory, those that were used last as the last ones. Drops those for which host memory
        would have no room."""
        saved, n_saved = [], 0
        for prefix in sorted(prefixes, key=lambda each: -each.used_at):
            n_saved += len(prefix.tokens)
            if self._snapshots is not None and self._snapshots.fits(n_saved):
                saved.append(prefix)
            else:
                self._cache.drop(prefix)
        for prefix in reversed(saved):
            self._cache.move_to_host(prefix)

    def _move_to_front(self, sequence: SequenceState, max_tokens: int) -> None:
        prefix = sequence.prefix
        if prefix is None or self._cache.prefixes != (prefix,) or not self._limits.supports_full_rollback:
            return
        n = len(prefix.tokens)
        has_just_started = sequence.waits_for is not None
        n_allowed = 0 if has_just_started else MAX_WASTED_CELLS
        if 0 < n <= max_tokens and not self._cache.is_at_front(prefix, n) and self._cache.span - n >= n_allowed:
            self._cache.relocate(prefix)

    def _may_leave(self, prefix: CachedPrefix, requester: Priority) -> bool:
        is_protected = requester == Priority.BACKGROUND and prefix.priority == Priority.WINDOW
        return not prefix.in_use and not is_protected and self._snapshots is not None

    def _fits(self, prefix: CachedPrefix) -> bool:
        return self._snapshots is not None and self._snapshots.fits(len(prefix.tokens))

    def _max_copied_tokens(self) -> int:
        if not self._limits.cell_bytes:
            return self._limits.n_cells
        return int(MAX_SAVE_S * SAVE_BYTES_PER_S / self._limits.cell_bytes)

    def _state(self, max_tokens: int) -> tuple[object, ...]:
        return (max_tokens, *((id(prefix), prefix.in_use) for prefix in self._cache.prefixes))
