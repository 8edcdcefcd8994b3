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

MIN_HOST_TOKENS = 16
"""Minimum length of a prefix that is saved to host memory, and minimum number of tokens that restoring it must spare.
Computing fewer tokens again takes about as long."""

SAVE_BYTES_PER_S = 2e9
"""Assumed speed of copying KV state to host memory. The measured speed is at least 3 GB/s."""

MAX_SAVE_S = 0.03
"""While an answer in the app's window is generated, a copy to host memory that would take longer than this is
postponed."""


@dataclass(frozen=True, slots=True)
class Exactness:
    """Which leading tokens of a prefix have the KV state that a prompt gets when it is computed alone: in the first
    cells, in decodes that begin and end at multiples of `Limits.prompt_cut`, then up to the token before the last.
    Other states round differently."""

    n_exact: int = 0
    """A number of leading tokens, which is a multiple of `Limits.prompt_cut`."""
    exact_end: int = 0
    """If not 0, the tokens after `n_exact` up to this number are those of a prompt that has one more token."""

    def n_reusable(self, n_common: int, n_wanted: int, cut: int) -> int:
        """How many of the first `n_wanted` tokens of a prompt, all but its last one, can be reused if the prefix has
        `n_common` tokens in common with them."""
        if n_common == n_wanted == self.exact_end:
            return n_wanted
        return min(n_common, self.n_exact) // cut * cut

    def covers(self, other: Exactness) -> bool:
        """Whether every token that is exact by `other` is exact by this one."""
        return self.n_exact >= other.n_exact and (not other.exact_end or self.exact_end == other.exact_end)

    def truncated(self, n: int, cut: int) -> Exactness:
        """Returns the exactness of the first `n` tokens."""
        return Exactness(min(self.n_exact, n // cut * cut), self.exact_end if self.exact_end <= n else 0)

    def extended(self, start: int, end: int, n_prompt: int, cut: int) -> Exactness:
        """Returns the exactness after the tokens from `start` to `end` of a prompt were computed alone."""
        if start != self.n_exact or start == end:
            return self
        if end % cut == 0:
            return Exactness(end)
        return Exactness(start, end) if end == n_prompt - 1 < start + cut else self


def usable_length(held: list[int], exactness: Exactness, wanted: list[int], exact_cut: int) -> int:
    """How many leading tokens of `wanted` a prefix with the tokens `held` can give: all that are equal, or with
    `exact_cut`, which is `Limits.prompt_cut`, only those with an exact state."""
    n = common_prefix_length(held, wanted)
    return exactness.n_reusable(n, len(wanted), exact_cut) if exact_cut else n


@dataclass(frozen=True, slots=True)
class Reset:
    """Removes everything from KV memory. The next token takes the first cell."""


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
    """Saves the KV state of `slot`, which holds `tokens`, to host memory."""

    slot: int
    tokens: list[int]
    owner: str = ""
    exactness: Exactness = Exactness()


@dataclass(frozen=True, slots=True)
class Restore:
    """Fills the empty `slot` from the KV state `key` in host memory, which holds `n` tokens. With `keep`, the state
    remains in host memory."""

    slot: int
    key: str
    n: int
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Relocate:
    """Moves the tokens of `slot`, the only one in use, to the first cells. Takes two copies of its KV state."""

    slot: int


KvOp = Reset | Clear | Copy | Truncate | Save | Restore | Relocate
"""An operation on KV memory. The operations of a plan are executed in order, before its decode."""


@dataclass(frozen=True, slots=True)
class SavedPrefix:
    """A KV state in host memory."""

    key: str
    tokens: list[int]
    n_saved: int = 0
    """Number of its tokens that a snapshot on disk holds: all or none."""
    exactness: Exactness = Exactness()
    variant: bytes = b""
    """See `engine.kv_cache.snapshot_store.SnapshotStore.select`."""


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
    """Number of tokens, counted from the first, that a snapshot on disk holds."""
    owner: str = ""
    """The field `owner` of the request that used the prefix last."""
    n_prompt: int = 0
    """Prompt length of the last sequence that ran on the prefix."""
    exactness: Exactness = Exactness()
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

    @property
    def span(self) -> int:
        """Number of cells that attention covers: up to the last one in use."""

    def is_at_front(self, prefix: CachedPrefix, n: int) -> bool:
        """Whether the first `n` tokens of a prefix lie in order in the first `n` cells."""

    def is_alone(self, prefix: CachedPrefix) -> bool:
        """Whether a prefix lies in the first cells, and no other cells are in use."""

    def take_ops(self) -> tuple[KvOp, ...]:
        """Returns, in order, the operations that result from the calls since the last `take_ops`."""

    def match(self, tokens: list[int], exact_cut: int = 0) -> tuple[CachedPrefix | None, int]:
        """Returns the prefix that holds the longest reusable beginning of `tokens`, and the length of that beginning.
        See `usable_length` for `exact_cut`."""

    def allocate(self, priority: Priority) -> CachedPrefix | None:
        """Returns a new empty prefix, marked as in use. May evict an idle prefix for it. Returns None if no slot is
        available. If no other prefix is left, its tokens will take the first cells."""

    def reuse(
        self, source: CachedPrefix, n: int, priority: Priority, *, may_overwrite: bool = False
    ) -> CachedPrefix | None:
        """Returns a prefix that holds the first `n` tokens of `source`, and marks it as in use. It is `source` itself
        if `source` loses no tokens, or if no slot is available for a copy; otherwise it is a copy. Returns None if
        neither is possible. With `may_overwrite`, `source` may lose its tokens after the first `n`."""

    def restore(self, prefix: CachedPrefix, saved: SavedPrefix, n: int) -> None:
        """Fills an empty prefix from a KV state in host memory, then keeps only the first `n` tokens. Requires a free
        cell for each token of the state."""

    def relocate(self, prefix: CachedPrefix) -> None:
        """Moves a prefix, the only one in memory, to the first cells."""

    def checkpoint(self, source: CachedPrefix) -> None:
        """Keeps an idle copy of `source` in its current state, for later requests. Does nothing if no slot is
        available."""

    def ensure_free_cells(
        self, n: int, keep: CachedPrefix | None = None, requester: Priority = Priority.WINDOW
    ) -> bool:
        """Evicts idle prefixes other than `keep` until `n` cells are free. If that is impossible, evicts nothing and
        returns False."""

    def evict(self, keep: CachedPrefix | None = None, requester: Priority = Priority.WINDOW) -> bool:
        """Evicts the idle prefix with the lowest priority; among equals, the least recently used. Returns False if no
        prefix can be evicted."""

    def move_to_host(self, prefix: CachedPrefix) -> None:
        """Saves an idle prefix to host memory if it is long enough, and removes it."""

    def reserve(self, prefix: CachedPrefix, tokens: Sequence[int]) -> None:
        """Assigns free cells to tokens that will be computed, the first ones as llama.cpp does. There must be enough
        free cells."""

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
    """KV states in host memory, which can be restored without reading from disk."""

    def find(self, tokens: list[int], exact_cut: int = 0) -> SavedPrefix | None:
        """Returns the state that has the longest usable common prefix with `tokens`. See `usable_length` for
        `exact_cut`."""

    def token_lists(self) -> list[list[int]]:
        """Returns the tokens of all states in host memory."""

    def fits(self, n_tokens: int) -> bool:
        """Whether host memory may hold the state of a prefix with `n_tokens` tokens."""


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
