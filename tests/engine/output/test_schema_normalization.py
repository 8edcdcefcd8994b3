"""Normalised schemas have no dead ends and no endless texts. Keywords that cannot be enforced are removed and
reported."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from engine.backend import Limits
from engine.errors import ConstraintError
from engine.output.constraints.compiled_constraint import CompiledConstraint, Matcher, compile_constraint
from engine.output.constraints.regex_enumeration import matching_strings
from engine.output.constraints.schema_normalization import bounded
from engine.output.constraints.schema_relaxation import relaxed_schema
from engine.requests import Constraint
from tests.fakes import FakeBackend, Script

TOKENIZER = FakeBackend(Script(), Limits(64, 2, 8)).constraint_tokenizer()


def compiled(schema: Any, kind: Any = "json_schema", *, strict: bool = True) -> CompiledConstraint:
    source = schema if isinstance(schema, str) else json.dumps(schema)
    return compile_constraint(Constraint(kind, source, strict), TOKENIZER)


def allowed(matcher: Matcher) -> list[int]:
    bits = np.unpackbits(matcher.mask().view(np.uint8), count=257, bitorder="little")
    return [int(token) for token in np.flatnonzero(bits)]


def is_allowed(constraint: CompiledConstraint, text: str) -> bool:
    """Whether `text` is the start of an answer that matches the constraint."""
    matcher = constraint.matcher()
    for byte in text.encode():
        if byte not in allowed(matcher):
            return False
        matcher.advance(byte)
    return bool(allowed(matcher)) or matcher.must_end


def longest_run(constraint: CompiledConstraint, start: str, chars: bytes, limit: int = 300) -> int:
    """The number of characters from `chars` that can follow `start` in a row."""
    matcher = constraint.matcher()
    matcher.advance_text(start)
    for n in range(limit):
        wanted = next((char for char in chars if char in allowed(matcher)), None)
        if wanted is None:
            return n
        matcher.advance(wanted)
    return limit


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("^score$", ("score",)),
        ("^(a|bc)$", ("a", "bc")),
        ("^(?:x|y)\\.z$", ("x.z", "y.z")),
        ("^v[0-2]?$", ("v", "v0", "v1", "v2")),
        ("^a{0,2}$", ("", "a", "aa")),
        ("^a{2}$", ("aa",)),
        ("^a|b$", None),
        ("score", None),
        ("^a", None),
        ("^a*$", None),
        ("^\\d$", None),
        ("^[^a]$", None),
        ("^[a-z]{2}$", None),
        ("^a\\$", None),
    ],
)
def test_pattern_that_matches_few_strings_is_enumerated(pattern: str, texts: tuple[str, ...] | None) -> None:
    assert matching_strings(pattern) == texts


def test_hostile_pattern_is_not_enumerated_and_excess_or_long_patterns_are_removed() -> None:
    for pattern in ("^" + "(" * 2000 + ")" * 2000 + "$", "^" + "(" * 499 + ")" * 499 + "$", "^" + "[a-z]?" * 150 + "$"):
        assert matching_strings(pattern) in (None, ("",))
    patterns = {f"p{i}": {"pattern": f"^a{i}$"} for i in range(400)}
    found = relaxed_schema({"properties": {**patterns, "long": {"pattern": "a" * 5000}}})
    assert len(found.not_enforced) == 201


SCORE = {
    "type": "object",
    "properties": {"score": {"type": "integer", "multipleOf": 5}},
    "required": ["score"],
    "additionalProperties": False,
}


def test_property_matches_its_own_schema_and_that_of_its_name_pattern() -> None:
    for pattern in ("^score$", "^(score|scare)$", "^sco"):
        constraint = compiled({**SCORE, "patternProperties": {pattern: {"type": "integer", "maximum": 20}}})
        assert is_allowed(constraint, '{"score":15}')
        assert not is_allowed(constraint, '{"score":7}')
        assert not is_allowed(constraint, '{"score":25}')


@pytest.mark.parametrize(
    ("patterns", "written"),
    [
        ({"^score$": {"type": "integer"}}, '{"score":5'),
        ({"^score$": True}, '{"score":5'),
        ({"^(score|rank)$": {"type": "integer"}}, '{"score":5,"rank":1'),
        ({"^x[12]$": {"type": "integer"}, "^x1$": {"maximum": 3}}, '{"score":5,"x1":3,"x2":1'),
        ({"^x$": False}, '{"score":5'),
    ],
)
def test_comma_is_not_allowed_if_no_property_can_follow(patterns: dict[str, object], written: str) -> None:
    constraint = compiled({**SCORE, "patternProperties": patterns})
    assert is_allowed(constraint, written + "}")
    assert not is_allowed(constraint, written + ",")


def test_properties_are_allowed_if_their_name_pattern_matches_many_names() -> None:
    constraint = compiled({**SCORE, "patternProperties": {"^s": {"type": "integer"}}})
    assert is_allowed(constraint, '{"score":5,"size":1}')


@pytest.mark.parametrize(
    ("format", "start"),
    [("date-time", '"2026-11-30T10:00:00.'), ("time", '"10:00:00.'), ("duration", '"P')],
)
def test_date_and_time_formats_have_a_bounded_number_of_digits(format: str, start: str) -> None:
    assert longest_run(compiled({"type": "string", "format": format}), start, b"0123456789") < 40
    assert longest_run(compiled({"format": format}), start, b"0123456789") < 40
    inline = compiled(f'start: %json {{"type": "string", "format": "{format}"}}', "lark")
    assert longest_run(inline, start, b"0123456789") < 40


def test_length_limits_of_schema_with_time_format_are_kept() -> None:
    assert bounded({"format": "date-time", "maxLength": 99}) == {"format": "date-time", "maxLength": 99}
    assert bounded({"format": "date-time", "minLength": 50}) == {"format": "date-time", "minLength": 50}
    assert is_allowed(compiled({"format": "date-time"}), '"2026-11-30T10:00:00.123456789+02:00"')


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer"},
        {"type": ["integer", "null"]},
        {"type": "integer", "minimum": 0},
        {"type": "integer", "exclusiveMinimum": 5},
        {"type": "integer", "multipleOf": 5},
        {"allOf": [{"type": "integer", "multipleOf": 5}, {"type": "integer"}]},
    ],
)
def test_integer_has_a_bounded_number_of_digits(schema: dict[str, Any]) -> None:
    constraint = compiled(schema)
    assert longest_run(constraint, "", b"50") <= 20
    assert is_allowed(constraint, "9007199254740990")
    assert is_allowed(constraint, "10")


@pytest.mark.parametrize("n", [1, 40, 41, 500])
def test_schema_with_many_integers_compiles(n: int) -> None:
    properties = {f"a{i}": {"type": "integer"} for i in range(n)}
    assert is_allowed(compiled({"type": "object", "properties": properties}), '{"a0":1')
    compiled({"type": "integer", "multipleOf": 9973})


@pytest.mark.parametrize("start", ["{", '{"a"', '{"a":', '{"a":[1', '{"a":[1,', '{"a":[]'])
def test_whitespace_between_json_tokens_is_bounded(start: str) -> None:
    for constraint in (compiled("", "json_object"), compiled('start: %json {"type": "object"}', "lark")):
        assert longest_run(constraint, start, b"\n\t \r") < 40


def test_property_named_like_a_schema_keyword_is_not_a_keyword() -> None:
    schema = {"type": "object", "properties": {"not": {"type": "string"}, "if": {"uniqueItems": True}}}
    found = relaxed_schema(schema)
    assert found.schema == {"type": "object", "properties": {"not": {"type": "string"}, "if": {}}}
    assert found.not_enforced == ("uniqueItems at /properties/if",)


RELAXED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "uniqueItems": ({"type": "array", "uniqueItems": True}, ("uniqueItems at /",)),
    "uniqueItems that asks for nothing": ({"type": "array", "uniqueItems": False}, ()),
    "not": ({"type": "string", "not": {"const": "a"}}, ("not at /",)),
    "if": ({"type": "integer", "if": {"minimum": 1}, "then": {"maximum": 3}}, ("if at /", "then at /")),
    "contains": ({"type": "array", "contains": {"const": 1}, "minContains": 1}, ("contains at /", "minContains at /")),
    "propertyNames": ({"type": "object", "propertyNames": {"pattern": "^a"}}, ("propertyNames at /",)),
    "dependentRequired": ({"type": "object", "dependentRequired": {"a": ["b"]}}, ("dependentRequired at /",)),
    "unevaluatedProperties": ({"type": "object", "unevaluatedProperties": False}, ("unevaluatedProperties at /",)),
    "look-ahead": ({"type": "string", "pattern": "^(?=a)ab$"}, ("pattern at /",)),
    "word boundary": ({"type": "string", "pattern": r"\ba\b"}, ("pattern at /",)),
    "unknown format": ({"type": "string", "format": "iri"}, ("format at /",)),
    "format of a number": ({"type": "integer", "format": "int32"}, ()),
    "overlapping oneOf": ({"oneOf": [{"type": "string"}, {"type": "string", "minLength": 2}]}, ("oneOf at /",)),
    "oneOf with a tag": (
        {"oneOf": [{"type": "object", "properties": {"k": {"const": kind}}, "required": ["k"]} for kind in ("a", "b")]},
        (),
    ),
    "counted properties": ({"type": "object", "properties": {"a": {}}, "minProperties": 1}, ("minProperties at /",)),
    "deep": (
        {"type": "object", "properties": {"a": {"items": {"anyOf": [{"type": "array", "uniqueItems": True}]}}}},
        ("uniqueItems at /properties/a/items/anyOf/0",),
    ),
    "definitions": ({"$ref": "#/$defs/a", "$defs": {"a": {"not": {}}}}, ("not at /$defs/a",)),
    "pattern of names": ({"type": "object", "patternProperties": {"^(?!x)": {}}}, ("patternProperties at /",)),
}


@pytest.mark.parametrize("name", RELAXED)
def test_unenforceable_keyword_is_removed_and_reported(name: str) -> None:
    schema, not_enforced = RELAXED[name]
    assert relaxed_schema(schema).not_enforced == not_enforced
    loose = compiled(schema, strict=False)
    assert loose.not_enforced == not_enforced
    if not_enforced:
        with pytest.raises(ConstraintError):
            compiled(schema)
        assert loose.not_enforced == not_enforced


def test_reference_to_another_document_raises_constraint_error() -> None:
    for strict in (True, False):
        with pytest.raises(ConstraintError):
            compiled({"$ref": "https://example.com/a.json"}, strict=strict)


def test_answer_to_relaxed_schema_can_be_completed() -> None:
    loose = compiled({"type": "array", "uniqueItems": True, "items": {"type": "boolean"}}, strict=False)
    assert is_allowed(loose, "[true,true]")
    assert not is_allowed(loose, "[1")


@pytest.mark.parametrize("keyword", ["required", "enum", "items", "pattern", "format", "minimum", "anyOf", "$ref"])
def test_schema_keyword_that_is_null_has_no_effect(keyword: str) -> None:
    constraint = compiled({"type": "object", "properties": {"a": {"type": ["string", "array"], keyword: None}}})
    assert is_allowed(constraint, '{"a":"x"}')


def test_schema_keyword_const_with_value_null_is_enforced() -> None:
    constraint = compiled({"const": None})
    assert is_allowed(constraint, "null")
    assert not is_allowed(constraint, '"x"')


@pytest.mark.parametrize(
    "schema",
    [{"type": "string", "format": {}}, {"format": ["date"]}, {"oneOf": [{}], "anyOf": [{}], "allOf": 5}],
)
def test_malformed_schema_keyword_raises_constraint_error(schema: dict[str, Any]) -> None:
    with pytest.raises(ConstraintError):
        compiled({**schema, "uniqueItems": True}, strict=False)
