"""The elements of a JSON document's list, one at a time: one that is damaged does not cost the others, and only one of
them is in memory as objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

BROKEN = object()
"""Stands for an element, or for the rest of the document, that is not valid JSON or is nested too deeply."""

_SPACE = re.compile(r"[ \t\r\n]*+")
_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},]', re.DOTALL)
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)  # NaN and Infinity are no JSON


def decoded(content: bytes) -> str:
    """The document's text: in UTF-8, UTF-16 or UTF-32, with U+FFFD for bytes that are none."""
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        return content.decode(encoding, "replace")


def elements(text: str) -> Iterator[object]:
    """Each element of the list, or the document itself where it is no list. Raises ValueError, RecursionError where
    that is no JSON."""
    at = _after_space(text, 0)
    if not text.startswith("[", at):
        yield _DECODER.decode(text)
        return
    at = _after_space(text, at + 1)
    if text.startswith("]", at):
        return
    while True:
        end: int | None
        try:
            value, end = _DECODER.raw_decode(text, at)
            if not text.startswith((",", "]"), _after_space(text, end)):
                raise ValueError("the element does not end where it should")
        except (ValueError, RecursionError):
            value, end = BROKEN, _end_of_element(text, at)
        yield value
        if end is None:
            return
        end = _after_space(text, end)
        if not text.startswith(",", end):
            return
        at = _after_space(text, end + 1)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _end_of_element(text: str, at: int) -> int | None:
    """Where the comma or the bracket behind a damaged element stands; None where the document is cut off."""
    depth = 0
    for mark in _MARK.finditer(text, at):
        letter = text[mark.start()]
        if letter in "[{":
            depth += 1
        elif letter in "]}" and depth:
            depth -= 1
        elif letter == "]" or (letter == "," and not depth):
            return mark.start()
    return None
