"""Search for parts of words, for scripts that do not divide words by spaces: the full-text index takes a whole run of
Chinese, Japanese or Thai as one word, of which it finds the beginning alone. Pure, but for the SQL functions.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Sequence

BEFORE, AFTER = 24, 80
"""Letters of a snippet around the first place."""

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u109f"  # Tibetan, Burmese
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3"  # Korean, whose words carry their particles
    "\u1780-\u17ff"  # Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Chinese
    "\U00020000-\U0003ffff"
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d"  # Japanese
)
_SOME = re.compile(f"[{_UNSPACED}]")


def has_unspaced_script(words: str) -> bool:
    """Whether some of it is of such a script."""
    return _SOME.search(words) is not None


def register_functions(connection: sqlite3.Connection) -> None:
    """`holds(text, word)`: without case and accents. `borders(text, word)`: beside a letter of such a script."""
    connection.create_function("holds", 2, _holds, deterministic=True)
    connection.create_function("borders", 2, _borders, deterministic=True)


def condition(column: str, words: Sequence[str]) -> tuple[str, list[str]]:
    """SQL that is true where a text holds all of the words anywhere, and its values. What SQLite can look for by
    itself comes first: only what passes it is looked at by Python."""
    exact = [word for word in words if has_unspaced_script(word)]
    others = [word for word in words if not has_unspaced_script(word)]
    if exact:
        tests = [*(f"instr({column}, ?)" for _ in exact), *(f"holds({column}, ?)" for _ in others)]
        return " AND ".join(tests), [*exact, *others]
    tests = [*(f"instr(lower({column}), ?)" for _ in others), *(f"borders({column}, ?)" for _ in others)]
    return " AND ".join(tests), [*(word.lower() for word in others), *others]


def marked(text: str, words: Sequence[str], opening: str, closing: str) -> str:
    """The text with marks around each place of the words."""
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)), re.IGNORECASE)
    return pattern.sub(lambda found: f"{opening}{found[0]}{closing}", text)


def snippet(text: str, words: Sequence[str], opening: str, closing: str) -> str:
    """The surroundings of the first place of any of the words."""
    pattern = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    found = pattern.search(text)
    at = found.start() if found else 0
    start, end = max(0, at - BEFORE), at + AFTER
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
