"""One regular expression for all special tokens of a vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_DEPTH = 64
"""Levels of nested groups; below them the alternatives are listed."""


def special_pattern(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Matches the longest of `texts`; None for no texts. Common prefixes are tried once, so that thousands of texts
    cost no more than a few."""
    words = sorted({text for text in texts if text})
    return re.compile(_branch(words, 0, MAX_DEPTH)) if words else None


def _branch(words: list[str], at: int, depth: int) -> str:
    """Any of the sorted `words`, which are the same up to `at`."""
    first, last = words[0], words[-1]
    if len(words) == 1:
        return re.escape(first[at:])
    if depth == 0:
        return "(?:" + "|".join(re.escape(word[at:]) for word in sorted(words, key=len, reverse=True)) + ")"
    end = at
    while end < min(len(first), len(last)) and first[end] == last[end]:
        end += 1
    common, rest = re.escape(first[at:end]), words[1:] if len(first) == end else words
    groups: dict[str, list[str]] = {}
    for word in rest:
        groups.setdefault(word[end], []).append(word)
    branches = "|".join(_branch(group, end, depth - 1) for group in groups.values())
    return f"{common}(?:{branches}){'?' if rest is not words else ''}"
