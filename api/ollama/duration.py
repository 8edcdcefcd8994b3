"""How long a model is kept, as Ollama's clients write it. Pure."""

from __future__ import annotations

import math
import re

from pydantic_core import PydanticCustomError

# Of the two signs for a millionth one is on keyboards, the other is the Greek letter; Go takes both.
UNITS_S = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

_NUMBER, _UNIT = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)", "|".join(UNITS_S)
_PART = re.compile(rf"({_NUMBER})({_UNIT})")
_DURATION = re.compile(rf"([+-]?)((?:{_NUMBER}(?:{_UNIT}))+|{_NUMBER})")
"""As Go writes it, and a bare number, which many write for seconds."""

MAX_CHARACTERS = 64

LONGEST_S = 100 * 365 * 86400.0
"""Longer is for ever."""


def seconds_of(value: object) -> float | None:
    """From a number of seconds or a duration; infinity for less than nothing, which means for ever; None for null.

    Raises PydanticCustomError."""
    match value:
        case None:
            return None
        case bool():
            pass
        case int() | float() if value == value:  # a float that is no number is not even itself
            return float(value) if 0 <= value <= LONGEST_S else math.inf
        case str() if len(value) <= MAX_CHARACTERS and (found := _DURATION.fullmatch(value)):
            sign, amount = found.groups()
            parts = _PART.findall(amount) or [(amount, "s")]
            seconds = sum(float(number) * UNITS_S[unit] for number, unit in parts)
            return seconds_of(-seconds if sign == "-" else seconds)
    raise PydanticCustomError("no_time", 'Must be a number of seconds, or a duration such as "5m" or "1h30m"')
