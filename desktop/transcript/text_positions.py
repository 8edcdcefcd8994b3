"""Positions in the drawn text of a message, and where a drawn word is in its Markdown source. Qt-free."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True, slots=True, order=True)
class SegmentPosition:
    """A position in the text of a message: the number of the segment, and the offset in it in UTF-16 units."""

    segment: int
    offset: int


TextSpan = tuple[SegmentPosition, SegmentPosition]
"""Start and end of a part of a message's text, the earlier one first."""


def span_in_segment(number: int, length: int, start: SegmentPosition, end: SegmentPosition) -> tuple[int, int] | None:
    """The offsets of the part between `start` and `end` in a segment; None if it is empty.

    `number` and `length` are the segment's."""
    if not start.segment <= number <= end.segment:
        return None
    first = start.offset if number == start.segment else 0
    last = end.offset if number == end.segment else length
    return (first, last) if last > first else None


class Word(NamedTuple):
    """A word of the drawn text: its segment, and its start and end there in UTF-16 units."""

    segment: int
    start: int
    end: int
    text: str


def words_in(texts: Sequence[str]) -> list[Word]:
    """All words in reading order. `texts`: the drawn text of each segment."""
    words: list[Word] = []
    for number, text in enumerate(texts):
        offsets = Utf16Offsets(text)
        words += [
            Word(number, offsets.of(found.start()), offsets.of(found.end()), found.group())
            for found in _WORD.finditer(text)
        ]
    return words


def word_at(words: Sequence[Word], segment: int, offset: int) -> int | None:
    """The index of the word that covers an offset, or touches it."""
    return next(
        (n for n, word in enumerate(words) if word.segment == segment and word.start <= offset <= word.end), None
    )


def find_in_source(words: Sequence[Word], number: int, source: str) -> tuple[int, int] | None:
    """Start and end of a word in the Markdown source; None if ambiguous.

    It is unambiguous if the word occurs as often in the source as in the drawn text: a word in a link's address, for
    example, occurs in the source only."""
    text = words[number].text
    drawn = [n for n, word in enumerate(words) if word.text == text]
    written = [found.span() for found in _WORD.finditer(source) if found.group() == text]
    return written[drawn.index(number)] if len(written) == len(drawn) else None


class Utf16Offsets:
    """Converts indices of a Python string to offsets in UTF-16 units, which Qt counts in."""

    def __init__(self, text: str) -> None:
        has_surrogates = not text.isascii() and max(text) > "\uffff"
        self._surrogate_pairs = (
            [at for at, character in enumerate(text) if character > "\uffff"] if has_surrogates else []
        )

    def of(self, index: int) -> int:
        return index + bisect_left(self._surrogate_pairs, index)
