"""Tolerant reading of foreign JSON documents: one list element at a time, values of unexpected types as empty ones."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

BROKEN = object()
"""Placeholder for an element, or the rest of a document, that is invalid JSON or nested too deeply."""

_SPACE = re.compile(r"[ \t\r\n]*+")
_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},]', re.DOTALL)
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)  # NaN and Infinity are not valid JSON

MAX_SECONDS = 1e11
"""The year 5138; a greater number is taken as milli-, micro- or nanoseconds."""


def decoded(content: bytes) -> str:
    """Decodes a UTF-8, UTF-16 or UTF-32 document. Invalid bytes become U+FFFD."""
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        return content.decode(encoding, "replace")


def elements(text: str) -> Iterator[object]:
    """Yields the elements of the top-level list one at a time, `BROKEN` for an invalid one; or the document if it is
    not a list, and raises ValueError or RecursionError then if it is invalid."""
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
    """Position of the comma or bracket after an invalid element, None at the end of the document."""
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
    """`value` if it is an object, otherwise an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> Sequence[Any]:
    """`value` if it is a list, otherwise an empty one."""
    return value if isinstance(value, list) else ()


def as_text(value: object) -> str:
    """A string as it is, a number as text, otherwise ""."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def as_seconds(value: object, unit_s: float = 1.0) -> float:
    """A time as Unix seconds, 0 if invalid: a number in units of `unit_s`, or of less if it exceeds `MAX_SECONDS`; or a
    string with a number or an ISO 8601 time."""
    if isinstance(value, str):
        value = _parsed(value)
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
    """Text of a message content: a string, or the texts of a list of parts; None for other types."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = (each if isinstance(each, str) else as_text(as_mapping(each).get("text")) for each in content)
    return "\n\n".join(text for text in texts if text.strip())


def _parsed(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0
