"""The text direction of a paragraph, from its Markdown tokens. All functions may be called on any thread.

As in UAX #9, the first strong character decides, and isolates are skipped. Code, links, images and formulas count as
isolates. In addition, a paragraph that starts with one Latin word and is otherwise right-to-left counts as
right-to-left."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal

from markdown_it.token import Token

Direction = Literal["ltr", "rtl"]

MAX_EXAMINED = 2_000
"""The number of characters that are examined, from the start of the paragraph."""

_STRONG: dict[str, Direction] = {"L": "ltr", "R": "rtl", "AL": "rtl"}


def base_direction(inline: Sequence[Token]) -> Direction | None:
    """The direction of the text of one block. Returns None if no character outside isolates has a direction."""
    first: Direction | None = None
    n_first_words = n_rtl = n_ltr = 0
    in_word = False
    for character in _characters(inline):
        direction = _STRONG.get(unicodedata.bidirectional(character))
        if direction is None:
            in_word = in_word and not character.isspace()
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
    """The direction of the first strong character; None if there is none. Qt finds the direction in this way, without
    skipping isolates."""
    for token in inline:
        for character in token.content[:MAX_EXAMINED]:
            if (direction := _STRONG.get(unicodedata.bidirectional(character))) is not None:
                return direction
    return None


def _characters(inline: Sequence[Token]) -> Iterator[str]:
    left, links = MAX_EXAMINED, 0
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
