"""Bookkeeping of the KV memory: which slots and cells hold which tokens.

A prefix remains cached after its request has ended, so that the next request with the same beginning does not compute
it again. The cache does not touch the memory itself: it returns operations, which `op_executor` executes.
"""

from __future__ import annotations

import heapq
import operator
from collections.abc import Sequence

from engine.backend import Limits
from engine.kv_memory import (
    MIN_HOST_TOKENS,
    CachedPrefix,
    Clear,
    Copy,
    Exactness,
    KvOp,
    Relocate,
    Reset,
    Restore,
    Save,
    SavedPrefix,
    Truncate,
    common_prefix_length,
    usable_length,
)
from engine.priority import Priority


class PrefixCache:
    """All cached prefixes of one context. Implements `engine.kv_memory.KvMemory`.

    The cells are those that llama.cpp chooses: in order, the first free ones. llama.cpp searches from a position that
    it lowers to every cell that becomes free, so no free cell lies before that position. The cells are not known,
    until the memory is empty again, after a state whose tokens may not be in order was restored and truncated, and
    without full rollback also after a second sequence was computed: llama.cpp overwrites cells before a sliding window.

    If the memory does not support full rollback (truncation to any length), a prefix is never shortened. Instead, a
    request that continues from a prefix gets a copy in another slot, which shares the prefix's cells."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._prefixes: list[CachedPrefix] = []
        self._free_slots = list(range(limits.n_slots - 1, -1, -1))
        self._free_cells = list(range(limits.n_cells))
        """A heap."""
        self._cells_are_known = True
        self._refs = [0] * limits.n_cells
        self._ops: list[KvOp] = []
        self._clock = 0

    @property
    def n_free(self) -> int:
        """Number of free cells."""
        return len(self._free_cells)

    @property
    def prefixes(self) -> tuple[CachedPrefix, ...]:
        return tuple(self._prefixes)

    @property
    def span(self) -> int:
        return 1 + max((max(prefix.cells) for prefix in self._prefixes if prefix.cells), default=-1)

    def is_at_front(self, prefix: CachedPrefix, n: int) -> bool:
        return self._cells_are_known and prefix.cells[:n] == list(range(n))

    def is_alone(self, prefix: CachedPrefix) -> bool:
        n = len(prefix.cells)
        return len(self._free_cells) == self._limits.n_cells - n and self.is_at_front(prefix, n)

    def cells_by_owner(self) -> dict[tuple[Priority, str], int]:
        """Number of cells for each priority and owner. A cell that several prefixes share counts for the one with the
        highest priority.

        May be called on any thread; the numbers can be from the middle of a step."""
        counted: set[int] = set()
        n_cells: dict[tuple[Priority, str], int] = {}
        for prefix in sorted(self.prefixes, key=lambda each: (each.priority, each.used_at)):
            new = set(prefix.cells) - counted
            counted |= new
            key = prefix.priority, prefix.owner
            n_cells[key] = n_cells.get(key, 0) + len(new)
        return n_cells

    def take_ops(self) -> tuple[KvOp, ...]:
        ops, self._ops = tuple(self._ops), []
        return ops

    def match(self, tokens: list[int], exact_cut: int = 0) -> tuple[CachedPrefix | None, int]:
        best, most = None, 0
        for prefix in self._prefixes:
            if not prefix.tokens or prefix.tokens[0] != tokens[0]:
                continue
            n = usable_length(prefix.tokens, prefix.exactness, tokens, exact_cut)
            if n < most or not self._can_reuse(prefix, n) or (exact_cut and not self._can_lie_at_front(prefix, n)):
                continue
            if n > most or (n == most and best is not None and best.in_use):
                best, most = prefix, n
        return best, most

    def allocate(self, priority: Priority, keep: CachedPrefix | None = None) -> CachedPrefix | None:
        """See `KvMemory.allocate`. Never evicts the prefix `keep`.

        The last free slot is reserved for background work, because background work cannot evict the prefixes of chats
        in the app's window."""
        n_reserved_slots = 1 if priority < Priority.BACKGROUND else 0
        if len(self._free_slots) <= n_reserved_slots:
            self.evict(keep, priority)
        if not self._free_slots:
            return None
        if not self._prefixes:
            self._ops.append(Reset())
        self._cells_are_known = not self._prefixes or (self._cells_are_known and self._limits.supports_full_rollback)
        prefix = CachedPrefix(self._free_slots.pop(), priority, used_at=self._tick())
        self._prefixes.append(prefix)
        return prefix

    def reuse(
        self, source: CachedPrefix, n: int, priority: Priority, *, may_overwrite: bool = False
    ) -> CachedPrefix | None:
        can_adopt = not source.in_use and not _is_protected(source, priority)
        if can_adopt and (may_overwrite or n == len(source.tokens)) and self._limits.supports_full_rollback:
            return self._adopt(source, n, priority)
        copy = self._allocate_copy(source, n, priority)
        return self._adopt(source, n, priority) if copy is None and can_adopt else copy

    def checkpoint(self, source: CachedPrefix) -> None:
        for other in self._prefixes:
            if not other.in_use and other.tokens == source.tokens:
                other.used_at, other.priority = self._tick(), min(other.priority, source.priority)
                return
        copy = self._allocate_copy(source, len(source.tokens), source.priority)
        if copy is not None:
            copy.in_use = False

    def restore(self, prefix: CachedPrefix, saved: SavedPrefix, n: int) -> None:
        n_held = len(saved.tokens)
        self.reserve(prefix, saved.tokens)
        prefix.n_saved = saved.n_saved
        window = self._limits.sliding_window
        if not window:  # a state that was saved with a sliding window does not contain the cells before the window
            prefix.exactness = saved.exactness
        if n < n_held and saved.exactness == Exactness():
            self._cells_are_known = False
        prefix.first_cached_token = max(0, n_held - window) if window else 0
        self._ops.append(Restore(prefix.slot, saved.key, n_held, keep=n < n_held))
        self.truncate(prefix, n)

    def relocate(self, prefix: CachedPrefix) -> None:
        tokens, n_saved, exactness = list(prefix.tokens), prefix.n_saved, prefix.exactness
        self._cells_are_known = self._cells_are_known and _is_ascending(prefix.cells)
        self.unreserve(prefix, 0)
        self.reserve(prefix, tokens)
        prefix.n_saved, prefix.exactness = n_saved, exactness
        self._ops.append(Relocate(prefix.slot))

    def reserve(self, prefix: CachedPrefix, tokens: Sequence[int]) -> None:
        for _ in tokens:
            cell = heapq.heappop(self._free_cells)
            self._refs[cell] = 1
            prefix.cells.append(cell)
        prefix.tokens.extend(tokens)
        prefix.used_at = self._tick()

    def unreserve(self, prefix: CachedPrefix, n: int) -> None:
        for cell in prefix.cells[n:]:
            self._refs[cell] -= 1
            if not self._refs[cell]:
                heapq.heappush(self._free_cells, cell)
        del prefix.cells[n:]
        del prefix.tokens[n:]
        prefix.n_saved = self._n_restorable(prefix, n)
        prefix.exactness = prefix.exactness.truncated(n, self._limits.prompt_cut)

    def truncate(self, prefix: CachedPrefix, n: int) -> None:
        if n < len(prefix.tokens):
            self.unreserve(prefix, n)
            self._ops.append(Truncate(prefix.slot, n))

    def release(self, prefix: CachedPrefix) -> None:
        prefix.in_use = False
        prefix.used_at = self._tick()
        for other in [other for other in self._prefixes if other is not prefix and not other.in_use]:
            n = common_prefix_length(other.tokens, prefix.tokens)
            if n == len(prefix.tokens) and (self._limits.supports_full_rollback or n == len(other.tokens)):
                other.priority = min(other.priority, prefix.priority)
                self.drop(prefix)
                return
            is_contained = n == len(other.tokens) and self._limits.supports_full_rollback
            if is_contained and not _is_protected(other, prefix.priority):
                prefix.priority = min(other.priority, prefix.priority)
                self.drop(other)
        if not prefix.tokens:
            self.drop(prefix)

    def drop(self, prefix: CachedPrefix) -> None:
        self.unreserve(prefix, 0)
        self._prefixes.remove(prefix)
        self._free_slots.append(prefix.slot)
        self._ops.append(Clear(prefix.slot))

    def evict(self, keep: CachedPrefix | None = None, requester: Priority = Priority.WINDOW) -> bool:
        evictable = self._evictable(keep, requester)
        if not evictable:
            return False
        self.move_to_host(max(evictable, key=lambda prefix: (prefix.priority, -prefix.used_at)))
        return True

    def move_to_host(self, prefix: CachedPrefix) -> None:
        if len(prefix.tokens) >= MIN_HOST_TOKENS:
            self._ops.append(Save(prefix.slot, list(prefix.tokens), prefix.owner, self.saved_exactness(prefix)))
        self.drop(prefix)

    def saved_exactness(self, prefix: CachedPrefix) -> Exactness:
        """The exactness of a state that is saved now: none if the tokens are not saved in order, which is that of the
        cells."""
        is_in_order = self._cells_are_known and _is_ascending(prefix.cells)
        return prefix.exactness if is_in_order else Exactness()

    def ensure_free_cells(
        self, n: int, keep: CachedPrefix | None = None, requester: Priority = Priority.WINDOW
    ) -> bool:
        if self.n_free >= n:
            return True
        evictable = self._evictable(keep, requester)
        stays = set[int]().union(*(prefix.cells for prefix in self._prefixes if prefix not in evictable))
        if self._limits.n_cells - len(stays) < n:
            return False
        while self.n_free < n and self.evict(keep, requester):
            pass
        return True

    def _evictable(self, keep: CachedPrefix | None, requester: Priority) -> list[CachedPrefix]:
        return [
            prefix for prefix in self._prefixes
            if not prefix.in_use and prefix is not keep and not _is_protected(prefix, requester)
        ]  # fmt: skip

    def _can_reuse(self, prefix: CachedPrefix, n: int) -> bool:
        """Whether the first `n` tokens of a prefix can be reused. The next token, `n`, attends to itself and the
        `window` - 1 tokens before it, so these must be cached."""
        if n == len(prefix.tokens):
            return True
        first_needed = max(0, n - self._limits.sliding_window + 1)
        return self._limits.supports_truncation and prefix.first_cached_token <= first_needed

    def _can_lie_at_front(self, prefix: CachedPrefix, n: int) -> bool:
        """Whether a sequence can continue alone from the first `n` tokens with these tokens in the first cells."""
        if self._limits.supports_full_rollback:
            return self._cells_are_known and _is_ascending(prefix.cells[:n])
        return self.is_at_front(prefix, n)

    def _allocate_copy(self, source: CachedPrefix, n: int, priority: Priority) -> CachedPrefix | None:
        """Returns a new prefix that shares the first `n` tokens of `source`, or None if no slot is available."""
        cells_are_known = self._cells_are_known
        copy = self.allocate(priority, keep=source)
        self._cells_are_known = cells_are_known
        if copy is not None:
            self._share(source, copy, n)
        return copy

    def _share(self, source: CachedPrefix, copy: CachedPrefix, n: int) -> None:
        copy.tokens, copy.cells = source.tokens[:n], source.cells[:n]
        copy.n_saved, copy.first_cached_token = self._n_restorable(source, n), source.first_cached_token
        copy.owner = source.owner
        copy.exactness = source.exactness.truncated(n, self._limits.prompt_cut)
        for cell in copy.cells:
            self._refs[cell] += 1
        self._ops.append(Copy(source.slot, copy.slot, n))

    def _n_restorable(self, prefix: CachedPrefix, n: int) -> int:
        """How many of the prefix's first `n` tokens a snapshot can restore."""
        if prefix.n_saved <= n:
            return prefix.n_saved
        return n if self._limits.supports_full_rollback else 0

    def _adopt(self, prefix: CachedPrefix, n: int, priority: Priority) -> CachedPrefix:
        prefix.in_use = True
        prefix.priority = min(prefix.priority, priority)
        self.truncate(prefix, n)
        return prefix

    def _tick(self) -> int:
        self._clock += 1
        return self._clock


def _is_ascending(cells: list[int]) -> bool:
    return all(map(operator.lt, cells, cells[1:]))


def _is_protected(prefix: CachedPrefix, requester: Priority) -> bool:
    """Whether `requester` must not evict or overwrite `prefix`. Background work must not evict or overwrite prefixes of
    chats in the app's window."""
    return requester == Priority.BACKGROUND and prefix.priority == Priority.WINDOW
