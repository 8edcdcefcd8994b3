"""What the palette offers for what was typed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar


class Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


def fitting(actions: Iterable[T], typed: str) -> list[T]:
    """Those whose words hold everything that was typed, each word as the beginning of one of theirs where possible,
    the best first; all of them for an empty text."""
    wanted = typed.casefold().split()
    scored = [(score, place, action) for place, action in enumerate(actions) if (score := _score(action.name, wanted))]
    return [action for _, _, action in sorted(scored, key=lambda each: (-each[0], each[1]))]


def _score(words: str, wanted: Sequence[str]) -> int:
    """0 where one of the wanted words is missing."""
    plain = words.casefold()
    have = plain.split()
    score = 1
    for word in wanted:
        if any(each.startswith(word) for each in have):
            score += 2
        elif word in plain:
            score += 1
        else:
            return 0
    return score + (2 if wanted and plain.startswith(wanted[0]) else 0)
