"""From a word as it is drawn to the place in the Markdown that it came from. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
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
    words: list[Word] = []
    for number, text in enumerate(texts):
        place = Utf16Offsets(text)
        words += [
            Word(number, place.of(found.start()), place.of(found.end()), found.group())
            for found in _WORD.finditer(text)
        ]
    return words


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


class Utf16Offsets:
    """From places in a text to Qt's own, which counts in UTF-16: what lies beyond the first plane counts twice."""

    def __init__(self, text: str) -> None:
        is_wide = not text.isascii() and max(text) > "\uffff"
        self._wide = [at for at, letter in enumerate(text) if letter > "\uffff"] if is_wide else []

    def of(self, index: int) -> int:
        return index + bisect_left(self._wide, index)
