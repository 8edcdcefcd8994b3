"""From a word as it is drawn to the place in the Markdown that it came from. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


class Word(NamedTuple):
    """A word of a drawn text: the segment, and its span there in Qt's own positions."""

    segment: int
    start: int
    end: int
    text: str


def words_of(texts: Sequence[str]) -> list[Word]:
    """All words, in the order in which they are read. `texts` are those of the segments."""
    return [
        Word(number, to_qt(text, found.start()), to_qt(text, found.end()), found.group())
        for number, text in enumerate(texts)
        for found in _WORD.finditer(text)
    ]


def word_at(words: Sequence[Word], segment: int, position: int) -> int | None:
    """The number of the word that covers a position."""
    return next(
        (n for n, word in enumerate(words) if word.segment == segment and word.start <= position <= word.end), None
    )


def source_of(words: Sequence[Word], number: int, source: str) -> tuple[int, int] | None:
    """Where that word stands in `source`; None where that is not certain.

    It is certain where the source holds the word as often as the drawn text does: what Markdown takes away, addresses
    say, or puts in, would differ."""
    text = words[number].text
    drawn = [n for n, word in enumerate(words) if word.text == text]
    written = [found.span() for found in _WORD.finditer(source) if found.group() == text]
    return written[drawn.index(number)] if len(written) == len(drawn) else None


def to_qt(text: str, index: int) -> int:
    """Qt counts in UTF-16: what lies beyond the first plane counts twice."""
    return index + sum(1 for letter in text[:index] if ord(letter) > 0xFFFF)
