"""Builds Lark expressions for llguidance: text with special tokens, JSON, and values in other notations."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from engine.output.constraints.schema_normalization import bounded
from engine.output.json_schema import Schema, properties, types

# White space as chat templates write it. If any spacing were allowed, small models could write spaces until the context
# is full.
_JSON_OPTIONS = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    "coerce_one_of": False,
    "lenient": False,
}
_MAX_DEPTH = 6
"""Schemas that are nested deeper than this allow values of any type."""
_JSON_STRING = '%json {"type": "string"}'


@dataclass(frozen=True, slots=True)
class Notation:
    """How a tool call format writes values if it does not use JSON."""

    quote: str
    """The quote around strings. If it is empty, strings are written as in JSON."""
    true: str
    false: str
    null: str
    comma: str
    bare_keys: bool


PYTHON = Notation("", "True", "False", "None", ", ", bare_keys=False)


def bare_notation(quote: str) -> Notation:
    return Notation(quote, "true", "false", "null", ",", bare_keys=True)


def closed(schema: Schema) -> Schema:
    """Forbids additional properties in a schema, unless it names no properties or has the keyword
    `additionalProperties`.

    Required properties that the schema does not name may have any value (JSON Schema Validation 2020-12, 6.5.3)."""
    if isinstance(schema.get("type"), list):
        schema = {**schema, "type": "object"}  # a tool's arguments are an object, never null
    named = schema.get("properties")
    if isinstance(named, dict) and "additionalProperties" not in schema:
        required = schema.get("required")
        unnamed = [key for key in required if key not in named] if isinstance(required, list) else []
        return {**schema, "properties": {**named, **{key: {} for key in unnamed}}, "additionalProperties": False}
    return schema if schema else {"type": "object"}


def opened(schema: Schema) -> Schema:
    """A schema with the same property names, in which each property may have any value."""
    return {
        "type": "object",
        "properties": {key: {} for key in properties(schema)},
        "required": schema.get("required", []),
        "additionalProperties": schema.get("additionalProperties") is not False,
    }


def embedded(schema: Schema, root: Schema) -> Schema:
    """A subschema, together with the definitions of `root` that it may refer to."""
    return {**{key: root[key] for key in ("$defs", "definitions") if key in root}, **schema}


class LarkBuilder:
    """Builds a Lark grammar. Except for `define`, the methods return Lark expressions."""

    def __init__(self, special_tokens: Mapping[str, int], *, short_integers: bool = True) -> None:
        """`short_integers`: whether the length of integers in JSON is limited."""
        self._short_integers = short_integers
        self._special_tokens = special_tokens
        longest_first = sorted(filter(None, special_tokens), key=len, reverse=True)
        self._special = re.compile(f"({'|'.join(map(re.escape, longest_first))})") if longest_first else None
        self._rules: dict[str, list[str]] = {"TEXT": ["/(?s:.*)/"]}
        self._n_names = 0

    def source(self) -> str:
        lines = [f"{name}: {' | '.join(options)}" for name, options in self._rules.items()]
        return "\n".join(["%llguidance {}", *lines, ""])

    def define(self, name: str, option: str) -> None:
        """Lets the rule `name` also match the expression `option`. Creates the rule if it does not exist."""
        self._rules.setdefault(name, []).append(option)

    def name(self, expression: str, options: str = "") -> str:
        """Adds a rule for an expression, and returns the generated name of the rule."""
        self._n_names += 1
        self.define(f"r{self._n_names}{options}", expression)
        return f"r{self._n_names}"

    def text(self, text: str) -> str:
        """An expression for exactly this text. Markers in the text become special tokens."""
        parts = self._special.split(text) if self._special else [text]
        ids = self._special_tokens
        return " ".join(f"<[{ids[part]}]>" if part in ids else _quoted(part) for part in parts if part)

    def until(self, close: str) -> str:
        """An expression for any text up to and including the first `close`."""
        if self._special and self._special.search(close):
            # The lexer is greedy: TEXT consumes white space before the token.
            return f"TEXT {self.text(close.lstrip())}"
        return self.name("TEXT", f"[suffix={_quoted(close)}]")

    def json(self, schema: Schema) -> str:
        return "%json " + json.dumps(
            {**bounded(schema, short_integers=self._short_integers), "x-guidance": _JSON_OPTIONS}
        )

    def members(
        self, schema: Schema, notation: Notation, opening: str, closing: str, equals: str = "", depth: int = 0
    ) -> str:
        """An expression for an object in brackets. Its properties are in schema order; optional ones may be missing."""
        required = schema.get("required")
        required = required if isinstance(required, list) else []
        found = properties(schema)
        # Expressions for the remaining members: `rest[True]` if they start the object, `rest[False]` after another
        # member.
        rest = {True: "", False: ""}
        for key in reversed(list(found)):
            colon = equals or (":" if notation.bare_keys else ": ")
            head = key if equals or notation.bare_keys else json.dumps(key)
            member = f"{self.text(head + colon)} {self.value(embedded(found[key], schema), notation, depth + 1)}"
            after = {}
            for first in (True, False):
                comma = "" if first else self.text(notation.comma)
                taken = f"{comma} {member} {rest[False]}"
                after[first] = self.name(taken if key in required else f"({taken}) | {rest[first] or _quoted('')}")
            rest = after
        return f"{self.text(opening)} {rest[True]} {self.text(closing)}"

    def value(self, schema: Schema, notation: Notation, depth: int = 0) -> str:
        """An expression for a value of the schema's type.

        Any value is allowed if the schema has no type or is nested too deeply."""
        allowed = types(schema) if depth < _MAX_DEPTH else frozenset()
        choices = schema.get("enum")
        if isinstance(choices, list) and all(isinstance(choice, str) for choice in choices):
            return "(" + " | ".join(self.text(self._string(choice, notation)) for choice in choices) + ")"
        if not allowed:
            return self._anything(notation)
        return (
            "("
            + " | ".join(self._value_of_type(json_type, schema, notation, depth) for json_type in sorted(allowed))
            + ")"
        )

    def _value_of_type(self, json_type: str, schema: Schema, notation: Notation, depth: int) -> str:
        match json_type:
            case "string" if notation.quote:
                return f"{self.text(notation.quote)} {self.until(notation.quote)}"
            case "string":
                return _JSON_STRING
            case "integer":
                return "/-?(0|[1-9][0-9]{0,18})/"
            case "number":
                return r"/-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?/"
            case "boolean":
                return f"{_quoted(notation.true)} | {_quoted(notation.false)}"
            case "null":
                return _quoted(notation.null)
            case "array":
                items = schema.get("items")
                item = self.value(embedded(items, schema) if isinstance(items, dict) else {}, notation, depth + 1)
                return f'"[" ({item} ({_quoted(notation.comma)} {item})*)? "]"'
            case "object" if properties(schema):
                return self.members(schema, notation, "{", "}", depth=depth)
            case _:
                return self._any_object(notation)

    def _anything(self, notation: Notation) -> str:
        if "anything" not in self._rules:
            self._rules["anything"] = []
            for json_type in ("string", "number", "boolean", "null", "array", "object"):
                self.define("anything", self._value_of_type(json_type, {}, notation, 0))
        return "anything"

    def _any_object(self, notation: Notation) -> str:
        anything = self._anything(notation)
        key = '/[A-Za-z_][A-Za-z0-9_]{0,63}/ ":"' if notation.bare_keys else f'{_JSON_STRING} ": "'
        member = f"{key} {anything}"
        return f'"{{" ({member} ({_quoted(notation.comma)} {member})*)? "}}"'

    def _string(self, text: str, notation: Notation) -> str:
        return notation.quote + text + notation.quote if notation.quote else json.dumps(text, ensure_ascii=False)


def _quoted(text: str) -> str:
    return json.dumps(text)
