"""A JSON schema → an equal one from which llguidance makes a grammar without dead ends and endless texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.output.constraints.regex_enumeration import matching_strings
from engine.output.json_schema import is_null_keyword
from engine.output.schema_walk import Node, mapped

MAX_FORMAT_CHARS = {"date-time": 35, "time": 24, "duration": 30}
"""These formats allow any number of digits; nine of a second's digits and an offset are these lengths."""

INTEGERS = (-(2**62), 2**63 - 1)
"""What llguidance can bound, whose numbers are floats. A small model that begins a number may go on with digits to the
end."""
MAX_INTEGERS = 40
"""Each bounded integer is an automaton of its own: with 500 a grammar is too large. Schemas with more keep theirs."""
MAX_BOUNDED_MULTIPLE = 100
"""The automaton of a multiple grows with the product of both."""
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
    """The schema with formats and integers of a limited length, and without patterns that name single properties."""
    if short_integers and n_unbounded_integers(schema) <= MAX_INTEGERS:
        schema = mapped(schema, _with_short_integer)
    return mapped(schema, _bounded)


def n_unbounded_integers(schema: Any) -> int:
    """How many schemas allow integers with any number of digits."""
    found = 0

    def count(node: Node, path: str) -> Node:
        nonlocal found
        found += _with_short_integer(node, path) is not node
        return node

    mapped(schema, count)
    return found


def _bounded(node: Node, path: str) -> Node:
    kept = {key: value for key, value in node.items() if not has_no_effect(key, value)}
    return _with_named_properties(_with_short_format(kept))


def has_no_effect(keyword: str, value: object) -> bool:
    """Whether a keyword asks for nothing: one that is null, or one that llguidance does not know."""
    neutral = _NEUTRAL.get(keyword, ())
    return is_null_keyword(keyword, value) or any(type(value) is type(each) and value == each for each in neutral)


def _with_short_integer(node: Node, path: str) -> Node:
    """Where a schema has no bounds of its own for its integers, those of 64 bits."""
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
    """Patterns that only a few names match, written as these names.

    llguidance allows a comma where such a pattern could still match, though all its names have been used: the answer
    then has no way on. A property that has a schema of its own must match both (JSON Schema 2020-12, 10.3.2)."""
    patterns = node.get("patternProperties")
    named = node.get("properties", {})
    if not isinstance(patterns, dict) or not isinstance(named, dict):
        return node
    counts = "minProperties" in node or "maxProperties" in node  # enforced only where every property is required
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
