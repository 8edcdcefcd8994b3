"""Values of foreign documents, of which nothing is certain, not even their kind."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

MAX_SECONDS = 1e11
"""In seconds that is the year 5138: a greater time is one in milli-, micro- or nanoseconds."""


def as_mapping(value: object) -> Mapping[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> Sequence[Any]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else ()


def as_text(value: object) -> str:
    """The text, a number as text, or ""."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def as_seconds(value: object, unit_s: float = 1.0) -> float:
    """A time as Unix seconds, 0 where it is none. `unit_s` is what a number of 1 means, unless it is too great for
    that. A text is ISO 8601, or a number."""
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
    """What a message says: a text, or the texts of a list of parts. None where it is neither."""
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
