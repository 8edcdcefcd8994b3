"""Lists the strings that a regular expression matches if they are few, as for `^(score|rank)$`."""

from __future__ import annotations

import re
from itertools import product

MAX_TEXTS = 64
MAX_CHARS = 1000
_QUANTIFIER = re.compile(r"\?|\{(\d{1,2})(?:(,)(\d{1,2}))?\}")
_SPECIAL = frozenset("^$.*+?()[]{}|\\")


class _NotFinite(Exception):
    """Too many or infinitely many strings match, or the syntax is not supported."""


def matching_strings(pattern: str) -> tuple[str, ...] | None:
    """All strings that a JSON schema's `pattern` matches; None if there are more than MAX_TEXTS, or if the
    pattern is too long or its syntax is not supported.

    The result is also None for a pattern that lacks `^` or `$`, because it matches infinitely many longer strings."""
    if not (pattern.startswith("^") and pattern.endswith("$")) or len(pattern) > MAX_CHARS:
        return None
    try:
        return _Reader(pattern[1:-1]).whole()
    except (_NotFinite, RecursionError):
        return None


class _Reader:
    """A recursive descent parser for literals, escapes, classes, groups, `?` and counted repetitions."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def whole(self) -> tuple[str, ...]:
        texts = self._sequence()
        if self._at < len(self._pattern):  # in `^a|b$`, each alternative has only one anchor
            raise _NotFinite
        return texts

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise _NotFinite
        self._at += 1
        return char

    def _sequence(self) -> tuple[str, ...]:
        texts: tuple[str, ...] = ("",)
        while self._peek() not in ("", "|", ")"):
            texts = _joined(texts, self._repeated(self._item()))
        return texts

    def _item(self) -> tuple[str, ...]:
        match self._take():
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                return (self._escaped(),)
            case char if char in _SPECIAL:
                raise _NotFinite
            case char:
                return (char,)

    def _escaped(self) -> str:
        char = self._take()
        if char.isalnum():  # such an escape is a character class, an assertion or a reference
            raise _NotFinite
        return char

    def _group(self) -> tuple[str, ...]:
        if self._pattern.startswith("?:", self._at):
            self._at += 2
        texts = self._sequence()
        while self._peek() == "|":
            self._at += 1
            texts = _limited(texts + self._sequence())
        if self._take() != ")":
            raise _NotFinite
        return texts

    def _class(self) -> tuple[str, ...]:
        texts: list[str] = []
        while (char := self._take()) != "]":
            if char in "^[":
                raise _NotFinite
            low = self._escaped() if char == "\\" else char
            if self._peek() == "-" and self._pattern[self._at + 1 : self._at + 2] != "]":
                self._at += 1
                high = self._take()
                if high == "\\" or not 0 <= ord(high) - ord(low) < MAX_TEXTS:
                    raise _NotFinite
                texts += map(chr, range(ord(low), ord(high) + 1))
            else:
                texts.append(low)
        return _limited(tuple(texts))

    def _repeated(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        found = _QUANTIFIER.match(self._pattern, self._at)
        if found is None:
            if self._peek() in ("*", "+", "{"):
                raise _NotFinite
            return texts
        self._at = found.end()
        if found[0] == "?":
            low, high = 0, 1
        elif found[2]:
            low, high = int(found[1]), int(found[3])
        else:
            low = high = int(found[1])
        result: tuple[str, ...] = ()
        power: tuple[str, ...] = ("",)
        for n in range(high + 1):
            if n >= low:
                result = _limited(result + power)
            if n < high:
                power = _joined(power, texts)
        return result


def _joined(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[str, ...]:
    if len(before) * len(after) > MAX_TEXTS:
        raise _NotFinite
    return tuple("".join(pair) for pair in product(before, after))


def _limited(texts: tuple[str, ...]) -> tuple[str, ...]:
    unique = tuple(dict.fromkeys(texts))
    if len(unique) > MAX_TEXTS:
        raise _NotFinite
    return unique
