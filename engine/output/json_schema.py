"""Arguments that came as bare text → JSON, by what the tool's schema says of them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from engine.output.schema_walk import Node, mapped

Schema = Mapping[str, object]

_PYTHON = {"True": "true", "False": "false", "None": "null"}


def quoted(text: str) -> str:
    """Text as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def escaped(text: str) -> str:
    """Text as it stands within a JSON string. Piece by piece gives the same as whole."""
    return quoted(text)[1:-1]


def load_schema(source: str) -> Schema:
    """A tool's parameters without keywords that are null; an empty schema where they are none.

    Programs in languages with null references write null for a list or an object that has nothing in it. A template
    that shows the tool would fail on it, or show it to the model."""
    try:
        schema = json.loads(source)
    except ValueError:
        return {}
    if not isinstance(schema, dict):
        return {}
    return mapped(schema, _without_nulls) if "null" in source else schema


def is_null_keyword(key: str, value: object) -> bool:
    """Whether a keyword of a schema is null that cannot be: only these two can (JSON Schema Validation 2020-12, 6.1.3
    and 9.2)."""
    return value is None and key not in ("const", "default")


def _without_nulls(node: Node, path: str) -> Node:
    return {key: value for key, value in node.items() if not is_null_keyword(key, value)}


def properties(schema: Schema) -> Mapping[str, Schema]:
    """The schema's properties, references to its own `$defs` followed."""
    found = schema.get("properties")
    if not isinstance(found, dict):
        return {}
    return {str(key): _followed(value, schema) for key, value in found.items()}


def types(schema: Schema) -> frozenset[str]:
    """The JSON types that it allows; empty where it does not say."""
    said = schema.get("type")
    if isinstance(said, str):
        return frozenset({said})
    if isinstance(said, list):
        return frozenset(str(one) for one in said)
    for key in ("anyOf", "oneOf"):
        options = schema.get(key)
        if isinstance(options, list):
            each = [types(option) if isinstance(option, dict) else frozenset() for option in options]
            return frozenset().union(*each) if all(each) else frozenset()
    if "const" in schema:
        return frozenset({_type(schema["const"])})
    values = schema.get("enum")
    return frozenset(_type(value) for value in values) if isinstance(values, list) else frozenset()


def is_text(schema: Schema) -> bool:
    """Whether it is a string whatever is written."""
    return types(schema) == {"string"}


def to_json(text: str, schema: Schema | None) -> str:
    """The value as JSON: as it stands where that is JSON, else as a string. Where the schema allows strings, only
    what is of another allowed type stays as it stands."""
    allowed = types(schema) if schema is not None else frozenset()
    bare = text.strip()
    for candidate in (bare, _PYTHON.get(bare, "")):
        try:
            kind = _type(json.loads(candidate, parse_constant=_refuse))
        except (ValueError, RecursionError):
            continue
        if "string" not in allowed or kind in allowed or (kind == "integer" and "number" in allowed):
            return candidate
    return quoted(text)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _type(value: object) -> str:
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


def _followed(schema: object, root: Schema) -> Schema:
    for _ in range(8):
        if not isinstance(schema, dict):
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        target: object = root
        for part in reference[2:].split("/"):
            target = target.get(part) if isinstance(target, dict) else None
        schema = target
    return {}
