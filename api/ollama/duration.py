"""Parses the durations of `keep_alive`, in Go's format."""

from __future__ import annotations

import math
import re

from pydantic_core import PydanticCustomError

# Go accepts both the micro sign (U+00B5) and the Greek letter mu (U+03BC).
UNITS_S = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

_NUMBER, _UNIT = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)", "|".join(UNITS_S)
_PART = re.compile(rf"({_NUMBER})({_UNIT})")
_DURATION = re.compile(rf"([+-]?)((?:{_NUMBER}(?:{_UNIT}))+|{_NUMBER})")
"""Go's format, and a number without a unit, which many clients send for seconds."""

MAX_CHARS = 64

MAX_S = 100 * 365 * 86400.0
"""A longer duration counts as infinite."""


def parse_duration(value: object) -> float | None:
    """Seconds, from a number or a text; infinity for a negative duration; None for null.

    Raises PydanticCustomError, which pydantic reports as a validation error."""
    match value:
        case None:
            return None
        case bool():
            pass
        case int() | float() if not (isinstance(value, float) and math.isnan(value)):
            return float(value) if 0 <= value <= MAX_S else math.inf
        case str() if len(value) <= MAX_CHARS and (found := _DURATION.fullmatch(value)):
            sign, amount = found.groups()
            parts = _PART.findall(amount) or [(amount, "s")]
            seconds = sum(float(number) * UNITS_S[unit] for number, unit in parts)
            return parse_duration(-seconds if sign == "-" else seconds)
    raise PydanticCustomError("no_time", 'Must be a number of seconds, or a duration such as "5m" or "1h30m"')
