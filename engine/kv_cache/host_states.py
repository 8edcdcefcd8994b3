"""KV states in host memory, from which prefixes are restored without reading from disk."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from engine.kv_memory import Exactness, SavedPrefix, usable_length

MAX_STATES = 64
"""Maximum number of states, because every one is compared with the prompt of every new request."""


@dataclass(slots=True)
class HostState:
    tokens: list[int]
    state: memoryview
    is_kept: bool
    """Whether the state remains after it was written to disk."""
    exactness: Exactness
    variant: bytes = b""
    """A state is found only with its own variant."""
    owners: set[str] = field(default_factory=set)


class HostStates:
    """KV states by key. The least recently used ones are dropped when their total size exceeds `cap_bytes`; the newest
    one always remains. May be used on any thread."""

    def __init__(self, cap_bytes: int, *, supports_full_rollback: bool) -> None:
        """`supports_full_rollback` is the value of `engine.backend.Limits.supports_full_rollback`. With it, a state
        replaces those of shorter prefixes of its tokens."""
        self.cap_bytes = cap_bytes
        self._supports_full_rollback = supports_full_rollback
        self._states: OrderedDict[str, HostState] = OrderedDict()
        self._size_bytes = 0
        self._lock = threading.Lock()

    def __contains__(self, key: str) -> bool:
        return key in self._states

    def add(self, saved: SavedPrefix, state: memoryview, owner: str, *, is_kept: bool) -> None:
        key, tokens = saved.key, saved.tokens
        with self._lock:
            known = self._remove(key)
            owners = {owner} | (known.owners if known else set())
            is_kept = is_kept or bool(known and known.is_kept)
            self._states[key] = HostState(tokens, state, is_kept, saved.exactness, saved.variant, owners)
            self._size_bytes += len(state)
            if self._supports_full_rollback:
                for other, held in list(self._states.items()):
                    if held.variant == saved.variant and is_proper_prefix(held.tokens, tokens):
                        self._remove(other)
            while len(self._states) > 1 and (self._size_bytes > self.cap_bytes or len(self._states) > MAX_STATES):
                self._remove(next(iter(self._states)))

    def keep(self, key: str, owner: str, exactness: Exactness) -> bool:
        """Marks a state as just used, and as one that remains after it was written. Returns False if there is no such
        state that is at least as exact as `exactness`."""
        with self._lock:
            state = self._states.get(key)
            if state is None or not state.exactness.covers(exactness):
                return False
            state.is_kept = True
            state.owners.add(owner)
            self._states.move_to_end(key)
            return True

    def find(self, tokens: list[int], exact_cut: int = 0, variant: bytes = b"") -> SavedPrefix | None:
        """See `engine.kv_memory.SnapshotIndex.find`."""
        with self._lock:
            candidates = [
                SavedPrefix(key, held.tokens, exactness=held.exactness)
                for key, held in self._states.items()
                if held.variant == variant
            ]
        return best_match(candidates, tokens, exact_cut, supports_full_rollback=self._supports_full_rollback)

    def token_lists(self, variant: bytes = b"") -> list[list[int]]:
        """Returns the tokens of all states of a variant."""
        with self._lock:
            return [held.tokens for held in self._states.values() if held.variant == variant]

    def bytes_by_owner(self) -> dict[str, int]:
        """Size in bytes of the states of each owner. A state that several owners share counts for one of them."""
        sizes: dict[str, int] = {}
        with self._lock:
            for held in self._states.values():
                owner = min(held.owners - {""}, default="")
                sizes[owner] = sizes.get(owner, 0) + len(held.state)
        return sizes

    def get(self, key: str) -> memoryview | None:
        """Returns a state and marks it as just used."""
        with self._lock:
            state = self._states.get(key)
            if state is None:
                return None
            self._states.move_to_end(key)
            return state.state

    def remove(self, key: str) -> None:
        with self._lock:
            self._remove(key)

    def remove_written(self, key: str) -> None:
        """Removes a state that was written to disk, unless it must remain."""
        with self._lock:
            state = self._states.get(key)
            if state is not None and not state.is_kept:
                self._remove(key)

    def forget(self, owners: Collection[str]) -> None:
        """Removes the states that have only the given owners, and all states with an unknown owner. Removes the given
        owners from the other states."""
        with self._lock:
            for key, state in list(self._states.items()):
                state.owners.difference_update(owners)
                if not state.owners or "" in state.owners:
                    self._remove(key)

    def _remove(self, key: str) -> HostState | None:
        state = self._states.pop(key, None)
        if state is not None:
            self._size_bytes -= len(state.state)
        return state


def best_match(
    candidates: Iterable[SavedPrefix], tokens: list[int], exact_cut: int = 0, *, supports_full_rollback: bool
) -> SavedPrefix | None:
    """Returns the candidate with the longest usable common prefix with `tokens`. Without full rollback, a candidate
    must be contained in `tokens` completely."""
    best, most = None, 0
    for candidate in candidates:
        if candidate.tokens[:1] != tokens[:1]:
            continue
        n = usable_length(candidate.tokens, candidate.exactness, tokens, exact_cut)
        if n > most and (supports_full_rollback or n == len(candidate.tokens)):
            best, most = candidate, n
    return best


def is_proper_prefix(shorter: list[int], tokens: list[int]) -> bool:
    return len(shorter) < len(tokens) and tokens[: len(shorter)] == shorter
