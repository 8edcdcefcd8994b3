"""Rewrites a JSON schema so that llguidance's grammar for it has no dead ends and no endless texts.

Apart from limits for very long integers and times, the new schema allows the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.output.constraints.regex_enumeration import matching_strings
from engine.output.json_schema import Node, is_null_keyword, map_subschemas

MAX_FORMAT_CHARS = {"date-time": 35, "time": 24, "duration": 30}
"""Length limits for formats that allow any number of digits. A time may have nine decimals of a second and a UTC
offset."""

INTEGERS = (-(2**62), 2**63 - 1)
"""Bounds for integers whose schema has no bounds. Without bounds, small models could write digits endlessly. llguidance
converts bounds to floats, and this is the range that it can enforce."""
MAX_INTEGERS = 40
"""Schemas with more integers than this are not given bounds.

Each bounded integer is a separate automaton, and with 500 of them the grammar is too large."""
MAX_BOUNDED_MULTIPLE = 100
"""Integers with a larger `multipleOf` are not given bounds.

The size of the automaton is proportional to the product of `multipleOf` and the bounds."""
_BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
_NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "uniqueItems": (False,),
    "not": (False,),
    "propertyNames": (True, {}),
    "unevaluatedProperties": (True, {}),
    "unevaluatedItems": (True, {}),
    "dependentRequired": ({},),
    "dependentSchemas": ({},),
    "minProperties": (0,),
}


def bounded(schema: Any, *, short_integers: bool = True) -> Any:
    """The schema with limited formats and integers. Patterns that match only a few property names are replaced by these
    names."""
    if short_integers and n_unbounded_integers(schema) <= MAX_INTEGERS:
        schema = map_subschemas(schema, _with_short_integer)
    return map_subschemas(schema, _bounded)


def n_unbounded_integers(schema: Any) -> int:
    """The number of subschemas that allow integers of any length."""
    found = 0

    def count(node: Node, path: str) -> Node:
        nonlocal found
        found += _with_short_integer(node, path) is not node
        return node

    map_subschemas(schema, count)
    return found


def _bounded(node: Node, path: str) -> Node:
    kept = {key: value for key, value in node.items() if not has_no_effect(key, value)}
    return _with_named_properties(_with_short_format(kept))


def has_no_effect(keyword: str, value: object) -> bool:
    """Whether a keyword has no effect: it is null, or has a value that restricts nothing. llguidance may not support
    such a value."""
    neutral = _NEUTRAL.get(keyword, ())
    return is_null_keyword(keyword, value) or any(type(value) is type(each) and value == each for each in neutral)


def _with_short_integer(node: Node, path: str) -> Node:
    """Adds 64-bit bounds to a schema for integers that lacks bounds."""
    kinds = node.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    multiple = node.get("multipleOf", 1)
    if "integer" not in kinds or "number" in kinds or "enum" in node or "const" in node:
        return node
    if type(multiple) is not int or multiple > MAX_BOUNDED_MULTIPLE:
        return node
    lowest, highest = INTEGERS
    bounds: Node = {}
    if "minimum" not in node and "exclusiveMinimum" not in node:
        bounds["minimum"] = lowest
    if "maximum" not in node and "exclusiveMaximum" not in node:
        bounds["maximum"] = highest
    own = [node[key] for key in _BOUNDS if key in node]
    if not bounds or not all(isinstance(each, int) and lowest < each < highest for each in own):
        return node
    return {**node, **bounds}


def _with_short_format(node: Node) -> Node:
    named = node.get("format")
    limit = MAX_FORMAT_CHARS.get(named) if isinstance(named, str) else None
    shortest = node.get("minLength", 0)
    if limit is None or "maxLength" in node or not isinstance(shortest, int) or shortest > limit:
        return node
    return {**node, "maxLength": limit}


def _with_named_properties(node: Node) -> Node:
    """Replaces property name patterns that match only a few names by these names.

    llguidance allows a comma as long as another property could match such a pattern, even if all names that the pattern
    matches are used. After that comma, the answer has no valid continuation. A property that also has a schema of its
    own must match both schemas (JSON Schema 2020-12, 10.3.2)."""
    patterns = node.get("patternProperties")
    named = node.get("properties", {})
    if not isinstance(patterns, dict) or not isinstance(named, dict):
        return node
    # llguidance can enforce a limit for the number of properties only if all properties are required.
    counts = "minProperties" in node or "maxProperties" in node
    properties, left = dict(named), {}
    for pattern, schema in patterns.items():
        texts = matching_strings(pattern)
        if texts is None or (counts and not all(text in named for text in texts)):
            left[pattern] = schema
            continue
        for text in texts:
            properties[text] = {"allOf": [properties[text], schema]} if text in properties else schema
    changed = {key: value for key, value in node.items() if key not in ("properties", "patternProperties")}
    if properties:
        changed["properties"] = properties
    return {**changed, "patternProperties": left} if left else changed
