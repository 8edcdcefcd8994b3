"""unmet_keywords reports violations of a JSON schema that a grammar cannot prevent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.output.constraints.schema_check import MAX_STEPS, unmet_keywords

TAGGED = {"type": "object", "properties": {"kind": {"const": "a"}}, "required": ["kind"]}


@pytest.mark.parametrize(
    ("schema", "good", "bad", "keyword"),
    [
        ({"uniqueItems": True}, [1, "1", True], [1, 1.0], "uniqueItems at /"),
        ({"items": {"uniqueItems": True}}, [[1], [1]], [[], [1, 1]], "uniqueItems at /1"),
        ({"not": {"type": "string"}}, 1, "x", "not at /"),
        ({"properties": {"a": {"not": {"const": 1}}}}, {"a": 2}, {"a": 1}, "not at /a"),
        ({"if": {"minimum": 5}, "then": {"maximum": 9}, "else": {"const": 1}}, 7, 10, "then at /"),
        ({"if": {"minimum": 5}, "then": {"maximum": 9}, "else": {"const": 1}}, 1, 2, "else at /"),
        ({"contains": {"type": "integer"}}, ["a", 1], ["a"], "contains at /"),
        ({"contains": {"type": "integer"}, "minContains": 2}, [1, 2], [1], "contains at /"),
        ({"contains": {"type": "integer"}, "maxContains": 1}, [1], [1, 2], "maxContains at /"),
        ({"propertyNames": {"maxLength": 2}}, {"ab": 1}, {"abc": 1}, "propertyNames at /"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1, "b": 1}, {"a": 1}, "dependentRequired at /"),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, {"c": 1}, {"a": 1}, "dependentSchemas at /"),
        ({"dependencies": {"a": ["b"]}}, {"b": 1}, {"a": 1}, "dependencies at /"),
        ({"oneOf": [{"type": "string"}, {"minLength": 2}]}, "a", "ab", "oneOf at /"),
        ({"oneOf": [TAGGED, {"required": ["n"]}]}, {"kind": "a"}, {"kind": "a", "n": 1}, "oneOf at /"),
        ({"minProperties": 1}, {"a": 1}, {}, "minProperties at /"),
        ({"maxProperties": 1}, {"a": 1}, {"a": 1, "b": 2}, "maxProperties at /"),
        ({"allOf": [{"uniqueItems": True}]}, [1], [1, 1], "uniqueItems at /"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"uniqueItems": True}}}, [1], [1, 1], "uniqueItems at /"),
        ({"additionalProperties": {"not": {"const": 1}}}, {"a": 2}, {"a": 1}, "not at /a"),
        ({"prefixItems": [True, {"not": {"const": 1}}]}, [1, 2], [1, 1], "not at /1"),
        ({"type": "integer"}, 3.0, 3.5, "type at /"),
        ({"enum": [1, {"a": 1.0}]}, {"a": 1}, True, "enum at /"),
        ({"exclusiveMinimum": 3}, 4, 3, "exclusiveMinimum at /"),
    ],
)
def test_violated_keyword_is_reported_with_its_path(
    schema: dict[str, Any], good: object, bad: object, keyword: str
) -> None:
    assert unmet_keywords(good, schema) == ()
    assert unmet_keywords(bad, schema) == (keyword,)


def test_check_of_recursive_schema_or_deep_value_ends() -> None:
    endless = {"$ref": "#"}
    assert unmet_keywords(1, endless) == ()
    wide = {"anyOf": [{"not": {"const": n}} for n in range(200)], "items": {"$ref": "#"}}
    assert unmet_keywords([[n] for n in range(MAX_STEPS)], wide) == ()
    listed = {"items": {"enum": list(range(5000)), "not": {"const": 1}}}
    assert unmet_keywords([1] * 5, listed) != ()
    assert unmet_keywords([5001] * 100, {"items": {"not": {"enum": list(range(5000))}}}) == ()
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    assert unmet_keywords(deep, {"items": {"$ref": "#"}}) == ()
    assert unmet_keywords({"a": json.loads("1e400")}, {"properties": {"a": {"type": "number"}}}) == ()


def test_integer_too_large_for_a_float_is_reported_if_it_violates_minimum_or_maximum() -> None:
    schema = {"minimum": 0.5, "maximum": 1.5}
    assert unmet_keywords(10**400, schema) == ("maximum at /",)
    assert unmet_keywords(-(10**400), schema) == ("minimum at /",)


def test_malformed_dependency_keyword_is_reported_as_violated() -> None:
    assert unmet_keywords({"a": 1}, {"dependentRequired": {"a": [{}]}}) == ("dependentRequired at /",)
