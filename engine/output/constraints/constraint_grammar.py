"""Turns a constraint into the grammar text for llguidance.

Constraints that are slow, deep or large are rejected first, because llguidance's own limits do not cover every case.
Measured with version 1.9.1: a chain of 5,000 rules or `$ref`s overflows an 8 MB stack. A `multipleOf` of a million
takes 20 s. 14 patterns that must match at once take 12 s, and each further pattern triples the time. With the limits
here, every known case takes less than a second.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from llguidance import LLMatcher

from engine.errors import ConstraintError
from engine.output.constraints.gbnf_parser import GbnfError
from engine.output.constraints.gbnf_translation import translate
from engine.output.constraints.schema_normalization import bounded
from engine.output.constraints.schema_relaxation import relaxed_schema
from engine.output.constraints.tool_call_grammar import ANSWER, ToolCallGrammar
from engine.requests import Constraint

MAX_BYTES = {"json_schema": 256 * 1024}
MAX_BYTES_OTHERWISE = 64 * 1024
MAX_BYTES_OF_CALLS = 512 * 1024
"""Size limit for the grammar of tool calls. Each tool can occur in the grammar twice."""
MAX_REFS = 1000
MAX_RULES = 1000
MAX_PROPERTIES = 2000
MAX_MULTIPLE = 10_000
"""Limit for the values of `multipleOf` in a schema, without their decimal points. If schemas are combined, the product
of the values is limited, otherwise their sum.

llguidance builds an automaton with as many states."""
MAX_INTERSECTED = 8
"""Limit for the patterns that one text may have to match at once."""
MAX_CHOICES = 5000

WHITESPACE = r" |\n[ \t]{0,32}"
"""White space between JSON tokens: one space, or a line break with indentation.

JSON allows any white space, but small models can write it until the context is full."""

_JSON_OPTIONS = {
    "whitespace_pattern": WHITESPACE,
    "item_separator": ",",
    "key_separator": ":",
    "coerce_one_of": False,
    "lenient": False,
}
"""llguidance's options for JSON. All are set, so that "x-guidance" inside a schema cannot loosen the constraint."""


def grammar_text(constraint: Constraint | ToolCallGrammar) -> str:
    """The input for llguidance. Raises ConstraintError. May be called on any thread. The limits of this module bound
    the computing time."""
    if isinstance(constraint, ToolCallGrammar):
        _check_size(constraint.source, MAX_BYTES_OF_CALLS)
        _checked_lark(constraint.source, ours=True)
        grammars = [{"lark_grammar": constraint.source}]
        if constraint.answer is not None:
            grammars.append(_named(grammar_text(constraint.answer), ANSWER))
        return json.dumps({"grammars": grammars})
    source = constraint.source
    _check_size(source, MAX_BYTES.get(constraint.kind, MAX_BYTES_OTHERWISE))
    match constraint.kind:
        case "json_object":
            return _json_grammar({"type": "object"})
        case "json_schema":
            return _json_grammar(_checked_schema(_json(source)))
        case "regex":
            return LLMatcher.grammar_from_regex(source)
        case "choice":
            return LLMatcher.grammar_from_regex(_one_of(_json(source)))
        case "lark":
            return json.dumps({"grammars": [{"lark_grammar": _checked_lark(source)}]})
        case "gbnf":
            return _from_gbnf(source)


def relaxed_constraint(constraint: Constraint) -> tuple[Constraint, tuple[str, ...]]:
    """Removes what cannot be enforced from a constraint that is not strict.

    Returns the remaining constraint and the removed keywords. Raises ConstraintError."""
    if constraint.strict or constraint.kind != "json_schema":
        return constraint, ()
    _check_size(constraint.source, MAX_BYTES["json_schema"])
    found = relaxed_schema(_checked_schema(_json(constraint.source)))
    return replace(constraint, source=json.dumps(found.schema)), found.not_enforced


def _named(grammar: str, name: str) -> dict[str, Any]:
    """A copy of the grammar with a name. Another grammar can refer to it as `@name`."""
    (only,) = json.loads(grammar)["grammars"] if grammar.startswith("{") else [{"lark_grammar": grammar}]
    return {**only, "name": name}


def _check_size(source: str, limit: int) -> None:
    try:
        if len(source) <= limit and len(source.encode()) <= limit:
            return
    except UnicodeEncodeError:
        raise ConstraintError("it is not Unicode text") from None
    raise ConstraintError(f"it is larger than {limit // 1024} KB")


def _json(source: str) -> Any:
    try:
        return json.loads(source)
    except (ValueError, RecursionError) as error:
        raise ConstraintError(f"it cannot be read as JSON: {error}") from None


def _json_grammar(schema: dict[str, Any]) -> str:
    try:
        text = json.dumps(bounded(schema), allow_nan=False)
        return LLMatcher.grammar_from_json_schema(text, overrides=_JSON_OPTIONS)  # type: ignore[arg-type]
    except (ValueError, RecursionError) as error:
        raise ConstraintError(f"the schema cannot be read: {error}") from None


def _checked_schema(schema: Any) -> dict[str, Any]:
    if schema is True:
        return {}
    if not isinstance(schema, dict):
        raise ConstraintError("a schema is an object")
    nodes = list(_objects(schema))
    if sum("$ref" in node for node in nodes) > MAX_REFS:
        raise ConstraintError(f"the schema has more than {MAX_REFS} references")
    if sum(len(each) for node in nodes for each in _members(node)) > MAX_PROPERTIES:
        raise ConstraintError(f"the schema has more than {MAX_PROPERTIES} properties")
    combined = list(_combined(schema))
    coefficients = [_coefficient(node["multipleOf"]) for node in nodes if _is_number(node.get("multipleOf"))]
    # Combined schemas may combine their `multipleOf`: 7 and 11 become 77.
    if (math.prod(coefficients) if combined else sum(coefficients)) > MAX_MULTIPLE:
        raise ConstraintError(f"the schema's values of multipleOf are together over {MAX_MULTIPLE}")
    if any(_n_patterns(node, nodes) > MAX_INTERSECTED for node in combined):
        raise ConstraintError(f"the schema combines more than {MAX_INTERSECTED} patterns")
    return schema


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """All JSON objects inside a value, whether or not they are schemas."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _members(node: dict[str, Any]) -> Iterator[Any]:
    for key in ("properties", "patternProperties", "required"):
        if isinstance(node.get(key), dict | list):
            yield node[key]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _coefficient(value: float) -> int:
    """The number without its decimal point, as an integer: 0.25 becomes 25."""
    number = Decimal(repr(value)).normalize()
    _, digits, exponent = number.as_tuple()
    return int("".join(map(str, digits))) * int(10 ** min(max(int(exponent), 0), 20))


_ANNOTATIONS = {
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "$comment",
    "$defs",
    "definitions",
    "$schema",
}


def _combined(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The outermost schemas that consist of several schemas, for example in `allOf`, all of which a value has to
    match."""
    waiting: list[Any] = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            alternatives = value.get("allOf")
            keys = value.keys() - _ANNOTATIONS
            if (isinstance(alternatives, list) and len(alternatives) > 1) or (
                len(keys) > 1 and keys & {"allOf", "anyOf", "oneOf", "$ref"}
            ):
                yield value
                value = {key: value[key] for key in ("$defs", "definitions") if key in value}
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _n_patterns(node: dict[str, Any], everywhere: list[dict[str, Any]]) -> int:
    below = list(_objects(node))
    found = everywhere if any("$ref" in each for each in below) else below
    return sum(_n_own_patterns(each) for each in found)


def _n_own_patterns(node: dict[str, Any]) -> int:
    more = node.get("patternProperties")
    return ("pattern" in node) + ("format" in node) + (len(more) if isinstance(more, dict) else 0)


def _one_of(choices: Any) -> str:
    """A regular expression that matches one of the choices.

    In Lark, choices would be strings, and a choice that is a prefix of another one could become unreachable."""
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        raise ConstraintError("choices are a list of strings")
    if not 0 < len(choices) <= MAX_CHOICES:
        raise ConstraintError(f"there must be 1 to {MAX_CHOICES} choices")
    try:
        "".join(choices).encode()
    except UnicodeEncodeError:
        raise ConstraintError("a choice is not Unicode text") from None
    return "|".join("".join(rf"\x{{{ord(char):x}}}" for char in choice) for choice in dict.fromkeys(choices))


_LARK_TEXT = re.compile(r'//[^\n]*|#[^\n]*|"(?:[^"\\\n]|\\.)*"|/(?:[^/\\\n]|\\.)+/|%json\b', re.DOTALL)


def _checked_lark(source: str, *, ours: bool = False) -> str:
    """Checks a Lark grammar, except for its comments, strings and regular expressions.

    Returns the grammar with its inline schemas replaced by bounded ones (see `bounded`). `ours`: the grammar was
    generated by Inglenook. In this case, only its size and its schemas are checked, because only these depend on a
    request. The grammar is then returned unchanged."""
    bare, parts = [], []
    at = copied = 0
    while match := _LARK_TEXT.search(source, at):
        bare.append(source[at : match.start()])
        at = match.end()
        if match[0] == "%json":
            schema, end = _inline_schema(source, at, ours)
            parts += [source[copied:at], " ", json.dumps(schema)]
            at = copied = end
    bare.append(source[at:])
    parts.append(source[copied:])
    outside = " ".join(bare)
    if outside.count(":") > MAX_RULES:
        raise ConstraintError(f"the grammar has more than {MAX_RULES} rules")
    if ours:
        return source
    if outside.count("&") > MAX_INTERSECTED:
        raise ConstraintError(f"the grammar combines more than {MAX_INTERSECTED} patterns")
    if "<" in outside:
        raise ConstraintError("the grammar names special tokens, which no text can match")
    if option := re.search(r"\b(temperature|stop)\s*=", outside):
        raise ConstraintError(f"the grammar sets {option[1]}, which is not enforced")
    return "".join(parts)


def _inline_schema(source: str, at: int, ours: bool) -> tuple[Any, int]:
    """The inline schema at position `at`, with bounded values and limited white space, and the position of its end."""
    start = next((i for i in range(at, len(source)) if not source[i].isspace()), at)
    try:
        schema, end = json.JSONDecoder().raw_decode(source, start)
    except (ValueError, RecursionError) as error:
        raise ConstraintError(f"an inline schema cannot be read as JSON: {error}") from None
    if "x-guidance" in _checked_schema(schema) and not ours:
        raise ConstraintError("an inline schema sets x-guidance")
    return {**bounded(schema), "x-guidance": _JSON_OPTIONS} if isinstance(schema, dict) else schema, end


def _from_gbnf(source: str) -> str:
    try:
        kind, text = translate(source)
    except GbnfError as error:
        raise ConstraintError(str(error)) from None
    return LLMatcher.grammar_from_regex(text) if kind == "regex" else text
