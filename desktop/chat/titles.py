"""Titles of chats: short enough for the sidebar, and never cut in the middle of something. Pure."""

from __future__ import annotations

import unicodedata

MAX_TITLE_COLUMNS = 30
"""What the sidebar shows without cutting it; a wide letter, of Chinese say, takes two."""

DOUBLE_QUOTES = '"“”„«»'
_LEAST_WORDS = 2
_ENGLISH = (
    "a an the of to in on at by for from with about into and or but if as is are was were that which my your his her "
    "its our their this these those whose who when where while because so than then"
)
_GERMAN = (
    "ein eine einen einem einer der die das den dem des und oder aber von vom zu zum zur im in am an auf aus bei mit "
    "nach für über ist sind war dass mein meine dein deine sein seine ihr ihre"
)
_DANGLING = frozenset((*_ENGLISH.split(), *_GERMAN.split()))
"""Words that begin something: a title that is cut does not end with one."""


def title_of(text: str) -> str:
    """A chat's first title: the first words of the first message."""
    return shortened(next((line for line in text.splitlines() if line.strip()), ""))


def shortened(line: str) -> str:
    """The line with single spaces; where it is long, its first words and an ellipsis."""
    words = line.lstrip("#>*- \t").split() or line.split()
    kept = words[:MAX_TITLE_COLUMNS]
    while len(kept) > 1 and columns(" ".join(kept)) > MAX_TITLE_COLUMNS:
        kept.pop()
    if len(kept) == len(words) and columns(words[0] if words else "") <= MAX_TITLE_COLUMNS:
        return " ".join(words)
    while len(kept) > _LEAST_WORDS and kept[-1].casefold().strip(".,;:!?") in _DANGLING:
        kept.pop()
    text = _to_width(" ".join(kept))
    if has_open_quote(text):
        text = "".join(letter for letter in text if letter not in DOUBLE_QUOTES)
    return text.rstrip(" .,;:!?-–(") + "…"


def columns(text: str) -> int:
    """How wide it is, in letters of ordinary width."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def has_open_quote(text: str) -> bool:
    """Whether a quotation in it is not closed, or was never opened."""
    return sum(letter in DOUBLE_QUOTES for letter in text) % 2 == 1


def _to_width(text: str) -> str:
    text = text[:MAX_TITLE_COLUMNS]
    while columns(text) > MAX_TITLE_COLUMNS:
        text = text[:-1]
    return text
