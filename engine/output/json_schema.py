"""Reads JSON schemas: properties, types, subschemas. Turns bare text into JSON of a schema's type."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, object]
Node = dict[str, Any]
"""A JSON schema that is an object, not a boolean."""

MAX_DEPTH = 100
"""Subschemas that are nested deeper than this are not changed."""

_SINGLE = frozenset(
    (
        "additionalProperties",
        "items",
        "additionalItems",
        "not",
        "if",
        "then",
        "else",
        "contains",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
    )
)
_BY_NAME = frozenset(("properties", "patternProperties", "$defs", "definitions", "dependentSchemas"))
_LISTED = frozenset(("allOf", "anyOf", "oneOf", "prefixItems", "items"))

_PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}


def quoted(text: str) -> str:
    """The text as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def escaped(text: str) -> str:
    """The text with the escapes that it needs inside a JSON string.

    Escaping it piece by piece gives the same result."""
    return quoted(text)[1:-1]


def load_schema(source: str) -> Schema:
    """The JSON schema of a tool's parameters, without keywords that are null; an empty schema if `source` is not a JSON
    object.

    Clients in languages with null references send null for empty lists and objects. A chat template would fail on these
    keywords or show them to the model."""
    try:
        schema = json.loads(source)
    except ValueError:
        return {}
    if not isinstance(schema, dict):
        return {}
    return map_subschemas(schema, _without_nulls) if "null" in source else schema


def is_null_keyword(key: str, value: object) -> bool:
    """Whether a keyword is null although it must not be.

    Only `const` and `default` may be null (JSON Schema Validation 2020-12, 6.1.3 and 9.2)."""
    return value is None and key not in ("const", "default")


def _without_nulls(node: Node, path: str) -> Node:
    return {key: value for key, value in node.items() if not is_null_keyword(key, value)}


def properties(schema: Schema) -> Mapping[str, Schema]:
    """The schema's properties. References to its own `$defs` are resolved."""
    found = schema.get("properties")
    if not isinstance(found, dict):
        return {}
    schemas = {str(key): resolved(value, schema) for key, value in found.items()}
    return {key: value if isinstance(value, dict) else {} for key, value in schemas.items()}


def types(schema: Schema) -> frozenset[str]:
    """The JSON types that the schema allows; empty if it does not restrict them."""
    declared = schema.get("type")
    if isinstance(declared, str):
        return frozenset({declared})
    if isinstance(declared, list):
        return frozenset(str(one) for one in declared)
    for key in ("anyOf", "oneOf"):
        options = schema.get(key)
        if isinstance(options, list):
            each = [types(option) if isinstance(option, dict) else frozenset() for option in options]
            return frozenset().union(*each) if all(each) else frozenset()
    if "const" in schema:
        return frozenset({json_type(schema["const"])})
    values = schema.get("enum")
    return frozenset(json_type(value) for value in values) if isinstance(values, list) else frozenset()


def is_string_schema(schema: Schema) -> bool:
    """Whether the schema allows only strings."""
    return types(schema) == {"string"}


def to_json(text: str, schema: Schema | None) -> str:
    """The text of a value as JSON: unchanged if it is JSON already, otherwise as a string.

    If the schema allows strings, the text is left unchanged only if it is JSON of another allowed type."""
    allowed = types(schema) if schema is not None else frozenset()
    bare = text.strip()
    for candidate in (bare, _PYTHON_WORDS.get(bare, "")):
        try:
            found_type = json_type(json.loads(candidate, parse_constant=_refuse))
        except (ValueError, RecursionError):
            continue
        if "string" not in allowed or found_type in allowed or (found_type == "integer" and "number" in allowed):
            return candidate
    return quoted(text)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def json_type(value: object) -> str:
    """ "integer" for integers, otherwise the name of the JSON type."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def resolved(schema: Any, root: Any) -> Any:
    """The schema, or the schema that its local `$ref` points to; {} if the reference cannot be resolved in `root`."""
    for _ in range(8):
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(reference, str):
            return schema
        target = root if reference == "#" or reference.startswith("#/") else None
        for step in reference.split("/")[1:]:
            target = target.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
        schema = {} if target is None else target
    return {}


def map_subschemas(schema: Any, change: Callable[[Node, str], Any], path: str = "", depth: int = 0) -> Any:
    """A copy of the schema in which `change(subschema, path)` has replaced every subschema, inner ones first.

    `path` is a JSON pointer. Only schemas are visited: a property with the name "not" is not a keyword."""
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return schema

    def inner(value: Any, *steps: object) -> Any:
        return map_subschemas(value, change, "".join([path, *(f"/{step}" for step in steps)]), depth + 1)

    found: Node = {}
    for key, value in schema.items():
        if key in _BY_NAME and isinstance(value, dict):
            found[key] = {name: inner(each, key, name) for name, each in value.items()}
        elif key in _LISTED and isinstance(value, list):
            found[key] = [inner(each, key, at) for at, each in enumerate(value)]
        elif key in _SINGLE:
            found[key] = inner(value, key)
        else:
            found[key] = value
    return change(found, path)
