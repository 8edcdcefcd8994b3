"""Who holds which tokens in the KV memory. Pure bookkeeping: it says what must be moved, and moves nothing.

A slot holds one prefix: tokens whose keys and values are computed. What a request leaves behind stays, so that the
next one that begins alike does not read it again; several slots may share cells, and a shared cell counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.backend import Limits
from engine.kv_memory import Clear, Copy, Cut, KvOp, Restore, Save
from engine.priority import BACKGROUND, WINDOW

MIN_SAVED = 64
"""Shorter prefixes are read again sooner than they are looked up on disk."""


def common_prefix_length(left: list[int], right: list[int]) -> int:
    """Length of the longest common prefix. Lists both, since a slice of a tuple never equals one of a list. Compares in
    slices, since a loop over 8,000 tokens takes half a millisecond of a step."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


@dataclass(slots=True, eq=False)
class CachedPrefix:
    """What one slot holds. While a sequence runs on it, it is in use and grows; afterwards it waits to be used
    again or evicted. `priority` is that of who computed it: 0 the window, higher goes first."""

    slot: int
    priority: int
    tokens: list[int] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    in_use: bool = True
    used_at: int = 0
    n_saved: int = 0
    """So many of its first tokens a snapshot holds."""
    owner: str = ""
    """Whom it was read for last, as the request names him."""
    n_prompt: int = 0
    """Length of the prompt of the last sequence that ran on it."""
    first_cached_token: int = 0
    """The first token that all layers hold: with a sliding window, the beginning may be gone."""


class PrefixCache:
    """All prefixes of one context. Where its kind of memory does not cut freely, prefixes stay whole and who goes on
    from one get a copy; its cells are shared, so that it costs a slot."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._prefixes: list[CachedPrefix] = []
        self._free_slots = list(range(limits.n_slots - 1, -1, -1))
        self._free_cells = list(range(limits.n_cells - 1, -1, -1))
        self._refs = [0] * limits.n_cells
        self._moves: list[KvOp] = []
        self._clock = 0

    @property
    def n_free(self) -> int:
        """Cells that hold nothing."""
        return len(self._free_cells)

    @property
    def prefixes(self) -> tuple[CachedPrefix, ...]:
        return tuple(self._prefixes)

    def held_by(self) -> dict[tuple[int, str], int]:
        """Cells by the priority and the owner of who has read what is in them; one that several share counts for the
        first in priority. Any thread: true of some moment of the last step."""
        seen: set[int] = set()
        held: dict[tuple[int, str], int] = {}
        for prefix in sorted(self.prefixes, key=lambda each: (each.priority, each.used_at)):
            fresh = set(prefix.cells) - seen
            seen |= fresh
            whose = prefix.priority, prefix.owner
            held[whose] = held.get(whose, 0) + len(fresh)
        return held

    def take_ops(self) -> tuple[KvOp, ...]:
        moves, self._moves = tuple(self._moves), []
        return moves

    def match(self, tokens: list[int]) -> tuple[CachedPrefix | None, int]:
        """The prefix with the most tokens in common with `tokens`, and how many of them can be used."""
        best, most = None, 0
        for prefix in self._prefixes:
            if not prefix.tokens or prefix.tokens[0] != tokens[0]:
                continue
            n = common_prefix_length(prefix.tokens, tokens)
            if n < most or not self._can_go_back(prefix, n):
                continue
            if n > most or (n == most and best is not None and best.in_use):
                best, most = prefix, n
        return best, most

    def open(self, priority: int, keep: CachedPrefix | None = None) -> CachedPrefix | None:
        """An empty prefix, for which another one may be evicted, but never `keep`. None where all are in use.

        The last slot is left for background work, which may evict next to nothing, while others can do without."""
        if len(self._free_slots) <= (priority < BACKGROUND):
            self.evict(keep, priority)
        if not self._free_slots:
            return None
        prefix = CachedPrefix(self._free_slots.pop(), priority, used_at=self._tick())
        self._prefixes.append(prefix)
        return prefix

    def reuse(self, source: CachedPrefix, n: int, priority: int, *, gives_up: bool = False) -> CachedPrefix | None:
        """A prefix in use that begins with the first `n` tokens of `source`: itself where nothing of it would be
        lost, else a copy, so that another branch of a chat stays. `gives_up`: what follows them may go."""
        can_adopt = not source.in_use and not _is_spared(source, priority)
        if can_adopt and (gives_up or n == len(source.tokens)) and self._limits.supports_full_rollback:
            return self._adopt(source, n, priority)
        copy = self.open(priority, keep=source)
        if copy is None:
            return self._adopt(source, n, priority) if can_adopt else None
        self._share(source, copy, n)
        return copy

    def keep(self, source: CachedPrefix) -> None:
        """Keeps what `source` holds now for others, while it grows; not where every slot is in use."""
        for other in self._prefixes:
            if not other.in_use and other.tokens == source.tokens:
                other.used_at, other.priority = self._tick(), min(other.priority, source.priority)
                return
        copy = self.open(source.priority)
        if copy is not None:
            self._share(source, copy, len(source.tokens))
            copy.in_use = False

    def restore(self, prefix: CachedPrefix, key: str, tokens: Sequence[int], n: int) -> None:
        """Fills an empty prefix from a snapshot of `tokens`, of which the first `n` are wanted. There must be
        cells for all of them."""
        self.extend(prefix, tokens)
        prefix.n_saved = len(tokens)
        prefix.first_cached_token = max(0, len(tokens) - self._limits.window) if self._limits.window else 0
        self._moves.append(Restore(prefix.slot, key, len(tokens)))
        self.cut(prefix, n)

    def extend(self, prefix: CachedPrefix, tokens: Sequence[int]) -> None:
        """Books cells for tokens that will be computed."""
        for _ in tokens:
            cell = self._free_cells.pop()
            self._refs[cell] = 1
            prefix.cells.append(cell)
        prefix.tokens.extend(tokens)
        prefix.used_at = self._tick()

    def shrink(self, prefix: CachedPrefix, n: int) -> None:
        """Takes back what was booked beyond `n` tokens and never computed."""
        self._unbook(prefix, n)

    def cut(self, prefix: CachedPrefix, n: int) -> None:
        """Keeps only its first `n` tokens."""
        if n < len(prefix.tokens):
            self._unbook(prefix, n)
            self._moves.append(Cut(prefix.slot, n))

    def release(self, prefix: CachedPrefix) -> None:
        """The sequence on it is done: what it holds waits for the next. What another one holds entirely goes."""
        prefix.in_use = False
        prefix.used_at = self._tick()
        for other in [other for other in self._prefixes if other is not prefix and not other.in_use]:
            n = common_prefix_length(other.tokens, prefix.tokens)
            if n == len(prefix.tokens) and (self._limits.supports_full_rollback or n == len(other.tokens)):
                other.priority = min(other.priority, prefix.priority)
                self.drop(prefix)
                return
            if (
                n == len(other.tokens)
                and self._limits.supports_full_rollback
                and not _is_spared(other, prefix.priority)
            ):
                prefix.priority = min(other.priority, prefix.priority)
                self.drop(other)
        if not prefix.tokens:
            self.drop(prefix)

    def drop(self, prefix: CachedPrefix) -> None:
        """Forgets a prefix."""
        self._unbook(prefix, 0)
        self._prefixes.remove(prefix)
        self._free_slots.append(prefix.slot)
        self._moves.append(Clear(prefix.slot))

    def evict(self, keep: CachedPrefix | None = None, asker: int = WINDOW) -> bool:
        """Drops the prefix that is missed least: the endpoint's before the window's, the longest unused first.
        What no snapshot holds is saved before. False where none can go for one of the priority `asker`."""
        idle = self._evictable(keep, asker)
        if not idle:
            return False
        victim = max(idle, key=lambda prefix: (prefix.priority, -prefix.used_at))
        if len(victim.tokens) >= MIN_SAVED and victim.n_saved < len(victim.tokens):
            self._moves.append(Save(victim.slot, list(victim.tokens)))
        self.drop(victim)
        return True

    def make_room(self, n: int, keep: CachedPrefix | None = None, asker: int = WINDOW) -> bool:
        """Evicts until `n` cells are free. False where they cannot be, and then nothing goes."""
        if self.n_free >= n:
            return True
        going = self._evictable(keep, asker)
        stays = set[int]().union(*(prefix.cells for prefix in self._prefixes if prefix not in going))
        if self._limits.n_cells - len(stays) < n:
            return False
        while self.n_free < n and self.evict(keep, asker):
            pass
        return True

    def _evictable(self, keep: CachedPrefix | None, asker: int) -> list[CachedPrefix]:
        return [
            prefix for prefix in self._prefixes
            if not prefix.in_use and prefix is not keep and not _is_spared(prefix, asker)
        ]  # fmt: skip

    def _can_go_back(self, prefix: CachedPrefix, n: int) -> bool:
        """Whether its first `n` tokens can be used. Token `n` sees itself and `window` - 1 before it."""
        if n == len(prefix.tokens):
            return True
        return self._limits.supports_truncation and prefix.first_cached_token <= max(0, n - self._limits.window + 1)

    def _share(self, source: CachedPrefix, copy: CachedPrefix, n: int) -> None:
        copy.tokens, copy.cells = source.tokens[:n], source.cells[:n]
        copy.n_saved, copy.first_cached_token = self._n_saved(source, n), source.first_cached_token
        copy.owner = source.owner
        for cell in copy.cells:
            self._refs[cell] += 1
        self._moves.append(Copy(source.slot, copy.slot, n))

    def _n_saved(self, prefix: CachedPrefix, n: int) -> int:
        """How much of its first `n` tokens a snapshot can give back."""
        if prefix.n_saved <= n:
            return prefix.n_saved
        return n if self._limits.supports_full_rollback else 0

    def _adopt(self, prefix: CachedPrefix, n: int, priority: int) -> CachedPrefix:
        prefix.in_use = True
        prefix.priority = min(prefix.priority, priority)
        self.cut(prefix, n)
        return prefix

    def _unbook(self, prefix: CachedPrefix, n: int) -> None:
        for cell in prefix.cells[n:]:
            self._refs[cell] -= 1
            if not self._refs[cell]:
                self._free_cells.append(cell)
        del prefix.cells[n:]
        del prefix.tokens[n:]
        prefix.n_saved = self._n_saved(prefix, n)

    def _tick(self) -> int:
        self._clock += 1
        return self._clock


def _is_spared(prefix: CachedPrefix, asker: int) -> bool:
    """Whether what it holds stays, however much one of the priority `asker` needs the room: a chat, for background
    work."""
    return asker == BACKGROUND and prefix.priority == WINDOW
