"""Checks a complete JSON value against the schema keywords that grammars cannot enforce."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from engine.output.json_schema import json_type, resolved, types

MAX_STEPS = 20_000
"""Limit for the subschemas and enum values that one check visits. The rest is not checked."""

_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "minimum": operator.ge,
    "exclusiveMinimum": operator.gt,
    "maximum": operator.le,
    "exclusiveMaximum": operator.lt,
}


class _TooLarge(Exception):
    pass


def unmet_keywords(value: Any, schema: Any) -> tuple[str, ...]:
    """The violated keywords, each with its path in the value, as in `uniqueItems at /tags`.

    Patterns, formats and `unevaluated…` keywords are not checked."""
    checker = _Checker(schema)
    found: list[str] = []
    with suppress(_TooLarge, RecursionError):
        found.extend(checker.unmet(value, schema, "", 0))
    return tuple(dict.fromkeys(found))


class _Checker:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._n_steps = 0

    def unmet(self, value: Any, schema: Any, path: str, depth: int) -> Iterator[str]:
        """All violations in the value and in the values inside it."""
        schema = resolved(schema, self._root)
        self._n_steps += 1 + (len(_list(schema.get("enum"))) if isinstance(schema, dict) else 0)
        if self._n_steps > MAX_STEPS or depth > 100:
            raise _TooLarge
        if schema is False:
            yield f"false at {path or '/'}"
        if not isinstance(schema, dict):
            return
        for keyword in self._broken_here(value, schema, depth):
            yield f"{keyword} at {path or '/'}"
        for each in _list(schema.get("allOf")):
            yield from self.unmet(value, each, path, depth + 1)
        for inner, step, below in _inner(value, schema):
            yield from self.unmet(inner, below, f"{path}/{step}", depth + 1)

    def _matches(self, value: Any, schema: Any, depth: int) -> bool:
        return next(self.unmet(value, schema, "", depth + 1), None) is None

    def _broken_here(self, value: Any, schema: dict[str, Any], depth: int) -> Iterator[str]:
        yield from _broken_values(value, schema)
        n_of = {name: [self._matches(value, each, depth) for each in _list(schema.get(name))] for name in _OPTIONS}
        if n_of["anyOf"] and not any(n_of["anyOf"]):
            yield "anyOf"
        if n_of["oneOf"] and n_of["oneOf"].count(True) != 1:
            yield "oneOf"
        if "not" in schema and self._matches(value, schema["not"], depth):
            yield "not"
        if "if" in schema:
            branch = "then" if self._matches(value, schema["if"], depth) else "else"
            if branch in schema and not self._matches(value, schema[branch], depth):
                yield branch
        if isinstance(value, list):
            yield from self._broken_items(value, schema, depth)
        if isinstance(value, dict):
            yield from self._broken_properties(value, schema, depth)

    def _broken_items(self, value: list[Any], schema: dict[str, Any], depth: int) -> Iterator[str]:
        if schema.get("uniqueItems") is True and len({_canonical(each) for each in value}) < len(value):
            yield "uniqueItems"
        if "contains" in schema:
            n_found = sum(self._matches(each, schema["contains"], depth) for each in value)
            if n_found < _number(schema.get("minContains"), 1):
                yield "contains"
            if n_found > _number(schema.get("maxContains"), math.inf):
                yield "maxContains"

    def _broken_properties(self, value: dict[str, Any], schema: dict[str, Any], depth: int) -> Iterator[str]:
        if "propertyNames" in schema and not all(self._matches(name, schema["propertyNames"], depth) for name in value):
            yield "propertyNames"
        for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
            for name, wanted in _dict(schema.get(keyword)).items():
                is_list = isinstance(wanted, list)
                met = set(map(str, wanted)) <= set(value) if is_list else self._matches(value, wanted, depth)
                if name in value and not met:
                    yield keyword


_OPTIONS = ("anyOf", "oneOf")


def _broken_values(value: Any, schema: dict[str, Any]) -> Iterator[str]:
    """The violated keywords that can be checked without looking at the values inside this value."""
    allowed = types({"type": schema["type"]}) if "type" in schema else frozenset()
    if allowed and not (_types_of(value) & allowed):
        yield "type"
    if isinstance(schema.get("enum"), list) and _canonical(value) not in map(_canonical, schema["enum"]):
        yield "enum"
    if "const" in schema and _canonical(value) != _canonical(schema["const"]):
        yield "const"
    if isinstance(value, int | float) and not isinstance(value, bool):
        for keyword, holds in _NUMBERS.items():
            bound = schema.get(keyword)
            if isinstance(bound, int | float) and not isinstance(bound, bool) and not holds(value, bound):
                yield keyword
    for low, high, kind in _LENGTHS:
        if isinstance(value, kind) and not (
            _number(schema.get(low), 0) <= len(value) <= _number(schema.get(high), math.inf)
        ):
            yield low if len(value) < _number(schema.get(low), 0) else high
    if isinstance(value, dict) and not set(map(str, _list(schema.get("required")))) <= set(value):
        yield "required"


_LENGTHS: tuple[tuple[str, str, Any], ...] = (
    ("minLength", "maxLength", str),
    ("minItems", "maxItems", list),
    ("minProperties", "maxProperties", dict),
)


def _inner(value: Any, schema: dict[str, Any]) -> Iterator[tuple[Any, object, Any]]:
    """The values inside a value, each with its key or index and the schema that applies to it."""
    if isinstance(value, dict):
        named, others = _dict(schema.get("properties")), schema.get("additionalProperties", True)
        has_patterns = bool(_dict(schema.get("patternProperties")))
        for key, each in value.items():
            if key in named:
                yield each, key, named[key]
            elif not has_patterns:
                yield each, key, others
    if isinstance(value, list):
        first = _list(schema.get("prefixItems"))
        rest = schema.get("items", True)
        for at, each in enumerate(value):
            yield each, at, first[at] if at < len(first) else rest if not isinstance(rest, list) else True


def _types_of(value: Any) -> frozenset[str]:
    name = json_type(value)
    is_whole = name == "integer" or (name == "number" and value.is_integer())
    return frozenset(("integer", "number")) if is_whole else frozenset((name,))


def _canonical(value: Any) -> str:
    """A text that is the same for equal JSON values. 1 and 1.0 are equal, 1 and true are not."""
    return json.dumps(_with_whole_numbers(value), sort_keys=True)


def _with_whole_numbers(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _with_whole_numbers(each) for key, each in value.items()}
        case list():
            return [_with_whole_numbers(each) for each in value]
    return value


def _number(value: Any, default: float) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
