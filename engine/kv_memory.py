"""Interface between the scheduler and the KV cache: cached prefixes, operations on KV memory, and the cache's methods.

A slot is a llama.cpp sequence id. A cell holds the keys and values of one token; several slots can share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.priority import Priority

MIN_SNAPSHOT_TOKENS = 64
"""Minimum length of a prefix that is written to disk. Computing a shorter one again is faster than reading it."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Removes all tokens of `slot` from KV memory."""

    slot: int


@dataclass(frozen=True, slots=True)
class Copy:
    """Makes the empty slot `target` share the first `n` tokens of the slot `source`."""

    source: int
    target: int
    n: int


@dataclass(frozen=True, slots=True)
class Truncate:
    """Keeps only the first `n` tokens of `slot`."""

    slot: int
    n: int


@dataclass(frozen=True, slots=True)
class Save:
    """Takes a KV snapshot of `slot`, which holds `tokens`, before the tokens are evicted."""

    slot: int
    tokens: list[int]


@dataclass(frozen=True, slots=True)
class Restore:
    """Fills the empty `slot` from the KV snapshot `key`, which holds `n` tokens."""

    slot: int
    key: str
    n: int


KvOp = Clear | Copy | Truncate | Save | Restore
"""An operation on KV memory. The operations of a plan are executed in order, before its decode."""


@dataclass(slots=True, eq=False)
class CachedPrefix:
    """The tokens of one slot whose keys and values are computed. A prefix is in use while a sequence runs on it;
    afterwards it is idle until it is reused or evicted."""

    slot: int
    priority: Priority
    """The highest priority among the requests that computed or reused the prefix."""
    tokens: list[int] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    in_use: bool = True
    used_at: int = 0
    """Time of the last use, by the cache's logical clock."""
    n_saved: int = 0
    """Number of tokens, counted from the first, that a snapshot holds."""
    owner: str = ""
    """The field `owner` of the request that used the prefix last."""
    n_prompt: int = 0
    """Prompt length of the last sequence that ran on the prefix."""
    first_cached_token: int = 0
    """Index of the first token that every layer still has in KV memory; above 0 only with a sliding window."""


class KvMemory(Protocol):
    """The bookkeeping of KV memory that the scheduler uses. `engine.kv_cache.prefix_cache.PrefixCache` implements it.

    Used only on the native thread, the one that decodes. The parameter `requester` is the priority of the sequence that
    needs the memory."""

    @property
    def prefixes(self) -> tuple[CachedPrefix, ...]: ...

    @property
    def n_free(self) -> int:
        """Number of free cells."""

    def take_ops(self) -> tuple[KvOp, ...]:
        """Returns, in order, the operations that result from the calls since the last `take_ops`."""

    def match(self, tokens: list[int]) -> tuple[CachedPrefix | None, int]:
        """Returns the prefix that holds the longest reusable beginning of `tokens`, and the length of that
        beginning."""

    def allocate(self, priority: Priority) -> CachedPrefix | None:
        """Returns a new empty prefix, marked as in use. May evict an idle prefix for it. Returns None if no slot is
        available."""

    def reuse(
        self, source: CachedPrefix, n: int, priority: Priority, *, may_overwrite: bool = False
    ) -> CachedPrefix | None:
        """Returns a prefix that holds the first `n` tokens of `source`, and marks it as in use. It is `source` itself
        if `source` loses no tokens, or if no slot is available for a copy; otherwise it is a copy. Returns None if
        neither is possible. With `may_overwrite`, `source` may lose its tokens after the first `n`."""

    def restore(self, prefix: CachedPrefix, key: str, tokens: Sequence[int], n: int) -> None:
        """Fills an empty prefix from the snapshot `key`, which holds `tokens`, then keeps only the first `n`. Requires
        a free cell for each of `tokens`."""

    def checkpoint(self, source: CachedPrefix) -> None:
        """Keeps an idle copy of `source` in its current state, for later requests. Does nothing if no slot is
        available."""

    def ensure_free_cells(
        self, n: int, keep: CachedPrefix | None = None, requester: Priority = Priority.WINDOW
    ) -> bool:
        """Evicts idle prefixes other than `keep` until `n` cells are free. If that is impossible, evicts nothing and
        returns False."""

    def evict(self, keep: CachedPrefix | None = None, requester: Priority = Priority.WINDOW) -> bool:
        """Evicts the idle prefix with the lowest priority; among equals, the least recently used. Saves the prefix
        before the eviction if it is long enough and no snapshot holds it. Returns False if no prefix can be evicted."""

    def reserve(self, prefix: CachedPrefix, tokens: Sequence[int]) -> None:
        """Assigns free cells to tokens that will be computed. There must be enough free cells."""

    def unreserve(self, prefix: CachedPrefix, n: int) -> None:
        """Frees the cells after the first `n` tokens. The freed cells were reserved for tokens that were not
        computed."""

    def truncate(self, prefix: CachedPrefix, n: int) -> None:
        """Keeps only the first `n` tokens of a prefix."""

    def release(self, prefix: CachedPrefix) -> None:
        """Marks a prefix as idle. Removes it if another prefix holds the same tokens."""

    def drop(self, prefix: CachedPrefix) -> None:
        """Removes a prefix and frees its slot and cells."""


class SnapshotIndex(Protocol):
    """KV snapshots in memory, which can be restored without reading from disk."""

    def find(self, tokens: list[int]) -> tuple[str, list[int]] | None:
        """Returns key and tokens of the snapshot that has the longest common prefix with `tokens`."""


def common_prefix_length(left: list[int], right: list[int]) -> int:
    """Length of the common prefix of two token lists.

    Both arguments must be lists, because a slice of a tuple never equals a slice of a list. The function compares
    slices by bisection, because a loop over 8,000 tokens takes 0.5 ms."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
