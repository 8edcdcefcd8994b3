"""Walks a JSON schema from schema to schema: a property that is called "not" is no keyword."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Node = dict[str, Any]
"""A schema that is an object."""

MAX_DEPTH = 100
"""What lies deeper stays as it is."""

_ONE = frozenset(("additionalProperties", "items", "additionalItems", "not", "if", "then", "else", "contains"))
_ONE_MORE = frozenset(("propertyNames", "unevaluatedItems", "unevaluatedProperties"))
_BY_NAME = frozenset(("properties", "patternProperties", "$defs", "definitions", "dependentSchemas"))
_LISTED = frozenset(("allOf", "anyOf", "oneOf", "prefixItems", "items"))


def mapped(schema: Any, change: Callable[[Node, str], Any], path: str = "", depth: int = 0) -> Any:
    """The schema with each schema in it replaced by what `change(schema, path)` returns, the inner ones first.
    `path` is a JSON pointer. Nothing is changed in place."""
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return schema

    def inner(value: Any, *steps: object) -> Any:
        return mapped(value, change, "".join([path, *(f"/{step}" for step in steps)]), depth + 1)

    found: Node = {}
    for key, value in schema.items():
        if key in _BY_NAME and isinstance(value, dict):
            found[key] = {name: inner(each, key, name) for name, each in value.items()}
        elif key in _LISTED and isinstance(value, list):
            found[key] = [inner(each, key, at) for at, each in enumerate(value)]
        elif key in _ONE or key in _ONE_MORE:
            found[key] = inner(value, key)
        else:
            found[key] = value
    return change(found, path)
