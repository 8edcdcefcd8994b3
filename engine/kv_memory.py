"""Interface between the scheduler and the KV cache: cached prefixes, operations on KV memory, and the cache's methods.

A slot is a llama.cpp sequence id; a cell holds the keys and values of one token and can be shared by several slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.priority import Priority

MIN_SNAPSHOT_TOKENS = 64
"""Shorter prefixes are not written to disk: computing them again is faster than reading them."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Removes all tokens of `slot`."""

    slot: int


@dataclass(frozen=True, slots=True)
class Copy:
    """Shares the first `n` tokens of `source` with the empty slot `target`."""

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
    """Takes a snapshot of `slot`, which holds `tokens`, before they are evicted."""

    slot: int
    tokens: list[int]


@dataclass(frozen=True, slots=True)
class Restore:
    """Fills the empty `slot` from the snapshot `key`, which holds `n` tokens."""

    slot: int
    key: str
    n: int


KvOp = Clear | Copy | Truncate | Save | Restore
"""Executed in order before the next decode."""


@dataclass(slots=True, eq=False)
class CachedPrefix:
    """Tokens of one slot whose keys and values are computed. In use while a sequence runs on it, idle afterwards until
    it is reused or evicted."""

    slot: int
    priority: Priority
    """The highest priority of the requests that computed or reused it."""
    tokens: list[int] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    in_use: bool = True
    used_at: int = 0
    """Value of the cache's logical clock at the last use."""
    n_saved: int = 0
    """Length of the part that a snapshot holds, counted from the first token."""
    owner: str = ""
    """`owner` of the request that used it last."""
    n_prompt: int = 0
    """Prompt length of the last sequence that ran on it."""
    first_cached_token: int = 0
    """Index of the first token that all layers hold; above 0 only with a sliding window."""


class KvMemory(Protocol):
    """The bookkeeping of KV memory that the scheduler uses; `engine.kv_cache.prefix_cache.PrefixCache`.

    Native thread only. `requester` is the priority of the sequence that needs the memory."""

    @property
    def prefixes(self) -> tuple[CachedPrefix, ...]: ...

    def take_ops(self) -> tuple[KvOp, ...]:
        """The operations that follow from the calls since the last `take_ops`, in order."""

    def match(self, tokens: list[int]) -> tuple[CachedPrefix | None, int]:
        """The prefix with the most tokens in common with `tokens`, and how many of them can be reused."""

    def allocate(self, priority: Priority) -> CachedPrefix | None:
        """An empty prefix in use, for which an idle one may be evicted. None if no slot is available."""

    def reuse(
        self, source: CachedPrefix, n: int, priority: Priority, *, may_overwrite: bool = False
    ) -> CachedPrefix | None:
        """A prefix in use with the first `n` tokens of `source`: `source` itself if that loses none of its tokens,
        otherwise a copy. `may_overwrite`: the tokens after the first `n` may be lost."""

    def restore(self, prefix: CachedPrefix, key: str, tokens: Sequence[int], n: int) -> None:
        """Fills an empty prefix from a snapshot of `tokens` and keeps the first `n`. Needs a free cell per token."""

    def checkpoint(self, source: CachedPrefix) -> None:
        """Keeps an idle copy of `source` as it is now. Does nothing if no slot is available."""

    def ensure_free_cells(
        self, n: int, keep: CachedPrefix | None = None, requester: Priority = Priority.WINDOW
    ) -> bool:
        """Evicts idle prefixes other than `keep` until `n` cells are free. False, evicting nothing, if that is
        impossible."""

    def evict(self, keep: CachedPrefix | None = None, requester: Priority = Priority.WINDOW) -> bool:
        """Drops the idle prefix with the lowest priority, of these the least recently used. It is saved before, unless
        a snapshot holds it. False if there is none to drop."""

    def reserve(self, prefix: CachedPrefix, tokens: Sequence[int]) -> None:
        """Assigns cells to tokens that will be computed. There must be as many free cells."""

    def unreserve(self, prefix: CachedPrefix, n: int) -> None:
        """Frees the cells beyond the first `n` tokens, which were reserved but not computed."""

    def truncate(self, prefix: CachedPrefix, n: int) -> None:
        """Keeps only the first `n` tokens."""

    def release(self, prefix: CachedPrefix) -> None:
        """Ends the use of a prefix. Drops it if another prefix holds the same tokens."""

    def drop(self, prefix: CachedPrefix) -> None:
        """Removes a prefix and frees its slot and cells."""


class SnapshotIndex(Protocol):
    """Snapshots that can be restored without reading from disk."""

    def find(self, tokens: list[int]) -> tuple[str, list[int]] | None:
        """Key and tokens of the snapshot with the longest common prefix with `tokens`."""


def common_prefix_length(left: list[int], right: list[int]) -> int:
    """Takes lists, since a slice of a tuple never equals one of a list. Compares slices by bisection, since a loop over
    8,000 tokens takes 0.5 ms."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
