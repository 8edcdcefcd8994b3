"""Reads JSON documents of other programs, one list element at a time. Values of unexpected types are read as empty
values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

BROKEN = object()
"""Placeholder for an element that is invalid JSON or nested too deeply. If the end of such an element is not found, the
placeholder replaces the rest of the document."""

_SPACE = re.compile(r"[ \t\r\n]*+")
_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},]', re.DOTALL)
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)  # NaN and Infinity, which are not valid JSON, become None

MAX_SECONDS = 1e11
"""The year 5138. A greater number is read as milliseconds, microseconds or nanoseconds."""


def decoded(content: bytes) -> str:
    """Decodes a UTF-8, UTF-16 or UTF-32 document. Invalid bytes become U+FFFD."""
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        return content.decode(encoding, "replace")


def elements(text: str) -> Iterator[object]:
    """Yields the elements of the top-level list one at a time, and `BROKEN` for each invalid element.

    If the document is not a list, yields the document itself. Raises ValueError or RecursionError if such a document is
    invalid."""
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
    """Returns the position of the comma or bracket after an invalid element, None if the document ends before."""
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


def as_mapping(value: object) -> Mapping[str, Any]:
    """Returns `value` if it is a JSON object, otherwise an empty mapping."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> Sequence[Any]:
    """Returns `value` if it is a list, otherwise an empty sequence."""
    return value if isinstance(value, list) else ()


def as_text(value: object) -> str:
    """Returns a string unchanged and a number as text. Other values become an empty string."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def as_seconds(value: object, unit_s: float = 1.0) -> float:
    """Converts a time to Unix seconds; returns 0 if it is invalid.

    `value` is a number, a string with a number, or a string with an ISO 8601 time. A number is in units of `unit_s`
    seconds. If the result exceeds `MAX_SECONDS`, it is divided by 1000 up to three times."""
    if isinstance(value, str):
        value, unit_s = _number_and_unit(value, unit_s)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    try:
        seconds = float(value) * unit_s
    except OverflowError:
        return 0.0
    for _ in range(3):
        if seconds > MAX_SECONDS:
            seconds /= 1000
    return seconds if math.isfinite(seconds) and 0 <= seconds <= MAX_SECONDS else 0.0


def as_message_text(content: object) -> str | None:
    """Returns the text of a message content, which is a string or a list of parts; None for other types."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = (each if isinstance(each, str) else as_text(as_mapping(each).get("text")) for each in content)
    return "\n\n".join(text for text in texts if text.strip())


def _number_and_unit(text: str, unit_s: float) -> tuple[float, float]:
    """The number in `text`, and its unit in seconds. For an ISO 8601 time these are the Unix time and 1. For an invalid
    text the number is 0."""
    try:
        return float(text), unit_s
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp(), 1.0
    except (ValueError, OverflowError, OSError):
        return 0.0, 1.0
