"""Which way a paragraph runs, from its Markdown tokens. Pure.

UAX #9 takes the first strong letter and skips isolates; code, links, pictures and formulas are isolates here. A
paragraph that begins with one Latin word and is otherwise written from right to left runs from right to left too."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal

from markdown_it.token import Token

Direction = Literal["ltr", "rtl"]

ENOUGH = 2_000
"""Letters that are looked at."""

_STRONG: dict[str, Direction] = {"L": "ltr", "R": "rtl", "AL": "rtl"}


def base_direction(inline: Sequence[Token]) -> Direction | None:
    """Of the text of one block; None where nothing outside of isolates has a direction."""
    first: Direction | None = None
    n_first_words = n_rtl = n_ltr = 0
    in_word = False
    for letter in _letters(inline):
        direction = _STRONG.get(unicodedata.bidirectional(letter))
        if direction is None:
            in_word = in_word and not letter.isspace()
            continue
        first = first or direction
        if direction == "rtl":
            n_rtl += 1
            in_word = False
            continue
        n_ltr += 1
        if not in_word:
            n_first_words += 1
        in_word = True
    return "rtl" if first == "ltr" and n_first_words == 1 and n_rtl > n_ltr else first


def first_strong_direction(inline: Sequence[Token]) -> Direction | None:
    """What a layout finds that knows of no isolates: the direction of the first strong letter of all."""
    for token in inline:
        for letter in token.content[:ENOUGH]:
            if (direction := _STRONG.get(unicodedata.bidirectional(letter))) is not None:
                return direction
    return None


def _letters(inline: Sequence[Token]) -> Iterator[str]:
    left, links = ENOUGH, 0
    for token in inline:
        if token.type in ("link_open", "link_close"):
            links += token.nesting
        elif token.type == "text" and not links:
            yield from token.content[:left]
            left -= len(token.content)
        else:
            yield " "
        if left <= 0:
            return
