"""Removes the parts of a JSON schema that llguidance cannot enforce, and lists them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.output.constraints.schema_normalization import has_no_effect
from engine.output.json_schema import Node, map_subschemas, types

_KEYWORDS = frozenset(
    (
        *("uniqueItems", "not", "if", "then", "else", "contains", "minContains", "maxContains", "propertyNames"),
        *("dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties", "unevaluatedItems"),
        *("$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"),
    )
)
_FORMATS = frozenset(
    ("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri", "unknown")
)


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A schema without the parts that llguidance cannot enforce.

    `not_enforced` lists each removed keyword with the path of its schema, as in `uniqueItems at /properties/tags`."""

    schema: Any
    not_enforced: tuple[str, ...] = ()


MAX_PATTERN_CHARS = 2000
MAX_PATTERNS = 200
"""Limit for the patterns of one schema that are tested. Further patterns are removed without a test."""


@lru_cache(maxsize=256)
def pattern_compiles(pattern: str) -> bool:
    """Whether llguidance supports this regular expression (no look-around, no references). Takes up to 4 ms."""
    if len(pattern) > MAX_PATTERN_CHARS:
        return False
    # llguidance is imported only for the first constraint, so that the window opens sooner
    from llguidance import LLMatcher

    schema = json.dumps({"type": "string", "pattern": pattern})
    return not LLMatcher.validate_grammar(LLMatcher.grammar_from_json_schema(schema))


def relaxed_schema(schema: Any) -> Relaxed:
    """The schema without keywords, formats and patterns that cannot be enforced. `oneOf` becomes `anyOf`.

    A reference to another document is kept and causes an error later. Without the reference, the schema might allow
    anything."""
    relaxation = _Relaxation()
    changed = map_subschemas(schema, relaxation.change)
    return Relaxed(changed, tuple(dict.fromkeys(relaxation.not_enforced)))


class _Relaxation:
    """Relaxes one schema and collects what is removed."""

    def __init__(self) -> None:
        self.not_enforced: list[str] = []
        self._n_patterns = 0

    def change(self, node: Node, path: str) -> Node:
        kept: Node = {}
        for key, value in node.items():
            if key in _KEYWORDS:
                if not has_no_effect(key, value):
                    self._note(key, path)
            elif self._is_enforceable(key, value, node):
                kept[key] = value
            else:
                self._note(key, path)
        patterns = kept.get("patternProperties")
        if isinstance(patterns, dict):
            kept["patternProperties"] = {name: each for name, each in patterns.items() if self._compiles(name)}
            if len(kept["patternProperties"]) < len(patterns):
                self._note("patternProperties", path)
        return self._without_one_of(kept, path)

    def _note(self, keyword: str, path: str) -> None:
        self.not_enforced.append(f"{keyword} at {path or '/'}")

    def _is_enforceable(self, key: str, value: Any, node: Node) -> bool:
        match key:
            case "format":
                return not isinstance(value, str) or value in _FORMATS or not _may_be_text(node)
            case "pattern":
                return self._compiles(value)
            case "minProperties" | "maxProperties":
                return _all_required(node)
        return True

    def _compiles(self, pattern: object) -> bool:
        self._n_patterns += 1
        return isinstance(pattern, str) and self._n_patterns <= MAX_PATTERNS and pattern_compiles(pattern)

    def _without_one_of(self, node: Node, path: str) -> Node:
        options = node.pop("oneOf", None)
        if not isinstance(options, list):
            return node
        if not _is_disjoint(options):
            self._note("oneOf", path)
        if "anyOf" not in node:
            node["anyOf"] = options
        elif isinstance(node.get("allOf", []), list):
            node["allOf"] = [*node.get("allOf", []), {"anyOf": options}]
        else:
            node["oneOf"] = options  # the schema is not valid, so llguidance rejects it
        return node


def _may_be_text(node: Node) -> bool:
    allowed = types(node)
    return not allowed or "string" in allowed


def _all_required(node: Node) -> bool:
    """Whether all named properties are required. Only then can llguidance enforce `minProperties` and
    `maxProperties`."""
    named, required = node.get("properties", {}), node.get("required", [])
    return isinstance(named, dict) and isinstance(required, list) and set(named) <= set(map(str, required))


def _is_disjoint(options: list[Any]) -> bool:
    """Whether no value can match two of the options, because all options differ in type or in the constant value of a
    required property."""
    if len(options) < 2:
        return True
    if not all(isinstance(option, dict) for option in options):
        return False
    kinds = [types(option) for option in options]
    if all(kinds) and sum(map(len, kinds)) == len(frozenset().union(*kinds)):
        return True
    tags = [_tags(option) for option in options]
    return any(all(key in each for each in tags) and len({each[key] for each in tags}) == len(tags) for key in tags[0])


def _tags(option: Node) -> dict[str, str]:
    """The required properties that have a single allowed value."""
    named, required = option.get("properties"), option.get("required")
    if not isinstance(named, dict) or not isinstance(required, list):
        return {}
    return {
        key: repr(value["const"])
        for key, value in named.items()
        if key in required and isinstance(value, dict) and "const" in value
    }
