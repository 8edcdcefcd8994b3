"""Substring search for scripts that have no spaces between words.

The FTS5 tokenizer takes a run of Chinese, Japanese or Thai characters as one word, and the FTS5 index finds words by
prefix only.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Sequence

N_BEFORE, N_AFTER = 24, 80
"""Number of characters in a snippet before and after the start of the first match."""

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u109f"  # Tibetan, Burmese
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3"  # Korean, which appends particles to words
    "\u1780-\u17ff"  # Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Chinese
    "\U00020000-\U0003ffff"
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d"  # Japanese
)
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")


def has_unspaced_script(words: str) -> bool:
    """Whether `words` contains a character of a script that has no spaces between words."""
    return _UNSPACED_CHARACTER.search(words) is not None


def register_functions(connection: sqlite3.Connection) -> None:
    """Adds two SQL functions to the connection. `holds(text, word)` is true if the text contains the word, regardless
    of case and accents. `borders(text, word)` is true if the text contains the word next to a character of an unspaced
    script."""
    connection.create_function("holds", 2, _holds, deterministic=True)
    connection.create_function("borders", 2, _borders, deterministic=True)


def condition(column: str, words: Sequence[str]) -> tuple[str, list[str]]:
    """Returns an SQL condition that is true if `column` contains all `words`, and the parameters of the condition.

    SQLite's `instr` is evaluated first, so that the slower Python functions are called for few rows."""
    exact = [word for word in words if has_unspaced_script(word)]
    others = [word for word in words if not has_unspaced_script(word)]
    if exact:
        tests = [*(f"instr({column}, ?)" for _ in exact), *(f"holds({column}, ?)" for _ in others)]
        return " AND ".join(tests), [*exact, *others]
    tests = [*(f"instr(lower({column}), ?)" for _ in others), *(f"borders({column}, ?)" for _ in others)]
    return " AND ".join(tests), [*(word.lower() for word in others), *others]


def marked(text: str, words: Sequence[str], opening: str, closing: str) -> str:
    """Returns `text` with `opening` and `closing` around each occurrence of the words."""
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)), re.IGNORECASE)
    return pattern.sub(lambda found: f"{opening}{found[0]}{closing}", text)


def snippet(text: str, words: Sequence[str], opening: str, closing: str) -> str:
    """Returns an excerpt around the first occurrence of any of the words. The words are marked as by `marked`."""
    pattern = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    found = pattern.search(text)
    at = found.start() if found else 0
    start, end = max(0, at - N_BEFORE), at + N_AFTER
    part = marked(text[start:end], words, opening, closing)
    return ("…" if start else "") + part + ("…" if end < len(text) else "")


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold())
    return unicodedata.normalize("NFC", "".join(each for each in plain if unicodedata.category(each) != "Mn"))


def _holds(text: str, word: str) -> bool:
    return _folded(word) in _folded(text)


def _borders(text: str, word: str) -> bool:
    word = re.escape(word)
    return re.search(f"[{_UNSPACED}]{word}|{word}[{_UNSPACED}]", text, re.IGNORECASE) is not None
