"""KV states in host memory, from which prefixes are restored without reading from disk."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

from engine.kv_memory import SavedPrefix, common_prefix_length

MAX_STATES = 64
"""Maximum number of states, because every one is compared with the prompt of every new request."""


@dataclass(slots=True)
class HostState:
    tokens: list[int]
    state: memoryview
    is_kept: bool
    """Whether the state remains after it was written to disk."""
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

    def add(self, key: str, tokens: list[int], state: memoryview, owner: str, *, is_kept: bool) -> None:
        with self._lock:
            known = self._remove(key)
            owners = {owner} | (known.owners if known else set())
            self._states[key] = HostState(tokens, state, is_kept or bool(known and known.is_kept), owners)
            self._size_bytes += len(state)
            if self._supports_full_rollback:
                for other in [each for each, held in self._states.items() if _is_shorter(held.tokens, tokens)]:
                    self._remove(other)
            while len(self._states) > 1 and (self._size_bytes > self.cap_bytes or len(self._states) > MAX_STATES):
                self._remove(next(iter(self._states)))

    def keep(self, key: str, owner: str) -> bool:
        """Marks a state as just used, and as one that remains after it was written. Returns False if there is no such
        state."""
        with self._lock:
            state = self._states.get(key)
            if state is None:
                return False
            state.is_kept = True
            state.owners.add(owner)
            self._states.move_to_end(key)
            return True

    def find(self, tokens: list[int]) -> SavedPrefix | None:
        """Returns the state with the longest usable common prefix with `tokens`."""
        with self._lock:
            candidates = {key: held.tokens for key, held in self._states.items()}
        key = best_match(candidates, tokens, supports_full_rollback=self._supports_full_rollback)
        return None if key is None else SavedPrefix(key, candidates[key])

    def token_lists(self) -> list[list[int]]:
        """Returns the tokens of all states."""
        with self._lock:
            return [held.tokens for held in self._states.values()]

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

    def forget(self, owners: Collection[str]) -> list[str]:
        """Removes the states of the given owners, and all states whose owner is unknown. Returns their keys."""
        with self._lock:
            keys = [
                key for key, state in self._states.items()
                if "" in state.owners or not state.owners.isdisjoint(owners)
            ]  # fmt: skip
            for key in keys:
                self._remove(key)
            return keys

    def _remove(self, key: str) -> HostState | None:
        state = self._states.pop(key, None)
        if state is not None:
            self._size_bytes -= len(state.state)
        return state


def best_match(candidates: dict[str, list[int]], tokens: list[int], *, supports_full_rollback: bool) -> str | None:
    """Returns the key of the candidate with the longest common prefix with `tokens`. Without full rollback, a candidate
    must be contained in `tokens` completely."""
    best, most = None, 0
    for key, candidate in candidates.items():
        if candidate[:1] != tokens[:1]:
            continue
        n = common_prefix_length(candidate, tokens)
        if n > most and (supports_full_rollback or n == len(candidate)):
            best, most = key, n
    return best


def _is_shorter(held: list[int], tokens: list[int]) -> bool:
    """Whether `held` is a proper prefix of `tokens`."""
    return len(held) < len(tokens) and tokens[: len(held)] == held
