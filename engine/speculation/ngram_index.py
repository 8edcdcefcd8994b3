"""Finds earlier occurrences of the last tokens of a text, so that the tokens after them can be proposed as a draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

MIN_MATCH, MAX_MATCH = 3, 32
"""Number of equal tokens before a proposed one: at least MIN_MATCH; more than MAX_MATCH are not counted."""

MAX_ADDED = 16_384
"""Number of tokens that are added at once, at most, so that a long prompt does not delay a step: 128,000 tokens take
45 ms."""

MAX_CANDIDATES = 12
"""Number of earlier occurrences that are compared, from the latest back."""

NEAR = 32
"""An occurrence within this distance of the expected place, behind the last one that was followed, is preferred: a text
that is copied with a change goes on there."""

NEAR_BONUS = 8
"""Number of tokens by which the match of a near occurrence counts as longer."""


@dataclass(frozen=True, slots=True)
class Match:
    """An earlier occurrence of the last tokens. `at` is the index of the token after it; `strength` is the number of
    equal tokens, plus NEAR_BONUS if the occurrence is near the expected place."""

    at: int
    strength: int


class NgramIndex:
    """The places of all sequences of MIN_MATCH tokens in one text, which grows. Adding a token takes constant time."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, ...], int] = {}
        """For each sequence of MIN_MATCH tokens, the index of the token after its last occurrence."""
        self._previous: list[int] = []
        """For each index, the index after the previous occurrence of the same MIN_MATCH tokens; -1 if there is none."""

    def update(self, tokens: Sequence[int]) -> bool:
        """Adds up to MAX_ADDED of the tokens after those of the last call, except the occurrence at the end of the
        text, which nothing follows yet. Returns whether all tokens are added."""
        start = len(self._previous)
        self._previous += [-1] * min(MIN_MATCH - start, len(tokens) - start)
        start = len(self._previous)
        last, previous = self._last, self._previous
        end = min(len(tokens), start + MAX_ADDED)
        tail = tokens[start - MIN_MATCH : end]
        for at, key in enumerate(zip(tail, tail[1:], tail[2:-1], strict=False), start):
            previous.append(last.get(key, -1))
            last[key] = at
        return end == len(tokens)

    def truncate(self, tokens: Sequence[int], n: int) -> None:
        """Removes the tokens from index `n` on, which are about to be replaced in `tokens`."""
        while len(self._previous) > max(n, MIN_MATCH):
            previous, at = self._previous.pop(), len(self._previous)
            key = tuple(tokens[at - MIN_MATCH : at])
            if previous >= 0:
                self._last[key] = previous
            else:
                del self._last[key]

    def find(self, tokens: list[int], expected: int) -> Match | None:
        """Returns the longest match of the last tokens. `expected` is the index at which the text is expected to go
        on, or -1. Call `update` first, until it has added all tokens."""
        best = None
        for at in self._candidates(tokens, expected):
            length = _match_length(tokens, at)
            if length >= MIN_MATCH:
                strength = length + (NEAR_BONUS if expected >= 0 and abs(at - expected) <= NEAR else 0)
                if best is None or strength > best.strength:
                    best = Match(at, strength)
        return best

    def _candidates(self, tokens: list[int], expected: int) -> list[int]:
        """Returns the indices at which the text may go on: near the expected one, and after the latest occurrences of
        the last tokens."""
        end = len(tokens)
        if 0 < expected < end and _match_length(tokens, expected) >= MIN_MATCH + NEAR_BONUS:
            return [expected]
        key = tuple(tokens[end - MIN_MATCH :])
        found: list[int] = []
        at = self._last.get(key, -1)
        while 0 <= at < len(self._previous) and len(found) < MAX_CANDIDATES:
            found.append(at)
            at = self._previous[at]
        if expected >= 0:
            last = tokens[end - 1]
            near = range(max(MIN_MATCH, expected - NEAR), min(expected + NEAR, end - 1))
            found += [at for at in near if tokens[at - 1] == last]
        return found


def continuation(tokens: list[int], at: int, n: int) -> list[int]:
    """Returns `n` tokens from index `at` on. At the end of the text, it starts again at `at`, because a text that
    repeats its own end is likely to repeat it once more."""
    end = min(at + n, len(tokens))
    return tokens[at:end] if end == at + n else list(islice(cycle(tokens[at:]), n))


def _match_length(tokens: list[int], at: int) -> int:
    """Number of tokens before index `at` that equal those at the end, at most MAX_MATCH."""
    end = len(tokens)
    limit = min(MAX_MATCH, at)
    if tokens[at - limit : at] == tokens[end - limit :]:
        return limit
    n = 0
    while n < limit and tokens[at - 1 - n] == tokens[end - 1 - n]:
        n += 1
    return n
