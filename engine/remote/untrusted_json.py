"""Reads JSON from servers: any text without errors other than InvalidJson, and without lone surrogates."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

JsonObject = Mapping[str, object]


class InvalidJson(ValueError):
    """The text is not JSON, or not an object, or it is nested too deeply."""


def read_object(data: bytes) -> JsonObject:
    """Reads a JSON object. Bytes that are not UTF-8 become replacement characters. Raises InvalidJson."""
    try:
        found = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise InvalidJson from None
    if not isinstance(found, dict):
        raise InvalidJson
    return found


def object_in(data: JsonObject, name: str) -> JsonObject:
    """The object in the field `name`; empty if there is none."""
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def list_in(data: JsonObject, name: str) -> list[object]:
    found = data.get(name)
    return found if isinstance(found, list) else []


def objects_in(data: JsonObject, name: str) -> list[JsonObject]:
    return [each for each in list_in(data, name) if isinstance(each, dict)]


def text_in(data: JsonObject, name: str) -> str:
    """The text in the field `name`; empty if there is none."""
    found = data.get(name)
    return without_surrogates(found) if isinstance(found, str) else ""


def count_in(data: JsonObject, name: str) -> int:
    """The number in the field `name` as an integer of 0 or more; 0 if there is none."""
    return min(max(int(number_in(data, name) or 0), 0), 2**53)


def number_in(data: JsonObject, name: str) -> float | None:
    """The finite number in the field `name`; None if there is none."""
    found = data.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        value = float(found)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def without_surrogates(text: str) -> str:
    """The text with pairs of surrogates joined, and lone ones replaced. JSON can contain them as escapes, but they
    cannot be encoded as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class SurrogateJoiner:
    """Removes surrogates from successive pieces of a text. A pair that is divided between two pieces is joined."""

    def __init__(self) -> None:
        self._held = ""

    def add(self, piece: str) -> str:
        text = self._held + piece
        self._held = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
        return without_surrogates(text[: len(text) - len(self._held)])

    def close(self) -> str:
        """The replacement for a first half that was not followed by a second one."""
        held, self._held = self._held, ""
        return without_surrogates(held)
