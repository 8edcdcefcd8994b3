"""Positions in the drawn text of a message, and the places of drawn words in the Markdown source. Qt-free."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True, slots=True, order=True)
class SegmentPosition:
    """A position in the drawn text of a message: the number of a segment, and an offset in it in UTF-16 units."""

    segment: int
    offset: int


TextSpan = tuple[SegmentPosition, SegmentPosition]
"""A part of a message's text: its start, and its end, which is not earlier."""


def span_in_segment(number: int, length: int, start: SegmentPosition, end: SegmentPosition) -> tuple[int, int] | None:
    """The start and end offset, in one segment, of the text between `start` and `end`. Returns None if no text is
    there.

    `number` and `length` are the number of the segment and the length of its text."""
    if not start.segment <= number <= end.segment:
        return None
    first = start.offset if number == start.segment else 0
    last = end.offset if number == end.segment else length
    return (first, last) if last > first else None


class Word(NamedTuple):
    """A word of the drawn text: the number of its segment, and its start and end there in UTF-16 units."""

    segment: int
    start: int
    end: int
    text: str


def words_in(texts: Sequence[str]) -> list[Word]:
    """All words of a message in reading order. `texts` are the drawn texts of its segments."""
    words: list[Word] = []
    for number, text in enumerate(texts):
        offsets = Utf16Offsets(text)
        words += [
            Word(number, offsets.of(found.start()), offsets.of(found.end()), found.group())
            for found in _WORD.finditer(text)
        ]
    return words


def word_at(words: Sequence[Word], segment: int, offset: int) -> int | None:
    """The index of the word that contains or touches an offset; None if there is none."""
    return next(
        (n for n, word in enumerate(words) if word.segment == segment and word.start <= offset <= word.end), None
    )


def find_in_source(words: Sequence[Word], number: int, source: str) -> tuple[int, int] | None:
    """The start and end of a word in the Markdown source. Returns None if its place there is ambiguous.

    The place is unambiguous if the word occurs as often in the source as in the drawn text. A word in the address of a
    link, for example, occurs only in the source."""
    text = words[number].text
    drawn = [n for n, word in enumerate(words) if word.text == text]
    written = [found.span() for found in _WORD.finditer(source) if found.group() == text]
    return written[drawn.index(number)] if len(written) == len(drawn) else None


class Utf16Offsets:
    """Converts indices of a Python string to the offsets that Qt uses, in UTF-16 units."""

    def __init__(self, text: str) -> None:
        has_surrogates = not text.isascii() and max(text) > "\uffff"
        self._surrogate_pairs = (
            [at for at, character in enumerate(text) if character > "\uffff"] if has_surrogates else []
        )

    def of(self, index: int) -> int:
        return index + bisect_left(self._surrogate_pairs, index)
