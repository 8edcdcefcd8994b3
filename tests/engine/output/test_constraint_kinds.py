"""For every kind of constraint, random answers of allowed tokens match the constraint. Also tests GrammarConstraint and
the cache of compiled constraints.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backend import Limits
from engine.errors import ConstraintError, NotLoaded
from engine.output.constraints.compiled_constraint import compile_constraint
from engine.output.constraints.constraint_cache import MAX_CACHED, ConstraintCache
from engine.output.constraints.grammar_constraint import GrammarConstraint
from engine.requests import Constraint
from tests.fakes import END, FakeBackend, Script

BACKEND = FakeBackend(Script(), Limits(64, 2, 8))
TOKENIZER = BACKEND.constraint_tokenizer()
LONGEST = 400


def random_match(constraint: Constraint, seed: int) -> bytes | None:
    """A random answer that the constraint allows; None if it did not end within the limit."""
    grammar_constraint = GrammarConstraint(compile_constraint(constraint, TOKENIZER).matcher())
    draw = random.Random(seed)
    generated = bytearray()
    while len(generated) < LONGEST and not grammar_constraint.is_done:
        logits = np.zeros(257, np.float32)
        token = grammar_constraint.restrict(logits, {END})
        if token is None:
            token = draw.choice(np.flatnonzero(np.isfinite(logits)).tolist())
        grammar_constraint.accept(token)
        if token == END:
            return bytes(generated)
        generated.append(token)
    return bytes(generated) if grammar_constraint.is_done else None


def _fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value matches a schema. Checks only the keywords that the schemas below use."""
    if "enum" in schema:
        return value in schema["enum"]
    if "anyOf" in schema:
        return any(_fits(value, each) for each in schema["anyOf"])
    match schema["type"]:
        case "integer":
            return type(value) is int and schema["minimum"] <= value <= schema["maximum"]
        case "boolean":
            return type(value) is bool
        case "string":
            return isinstance(value, str) and schema["minLength"] <= len(value) <= schema["maxLength"]
        case "array":
            return (
                isinstance(value, list)
                and len(value) <= schema["maxItems"]
                and all(_fits(each, schema["items"]) for each in value)
            )
    known = schema["properties"]
    return (
        isinstance(value, dict)
        and set(schema["required"]) <= set(value) <= set(known)
        and all(_fits(value[key], known[key]) for key in value)
    )


LEAVES = st.one_of(
    st.tuples(st.integers(-2000, 2000), st.integers(0, 500)).map(
        lambda each: {"type": "integer", "minimum": each[0], "maximum": each[0] + each[1]}
    ),
    st.tuples(st.integers(0, 4), st.integers(0, 4)).map(
        lambda each: {"type": "string", "minLength": each[0], "maxLength": each[0] + each[1]}
    ),
    st.just({"type": "boolean"}),
    st.lists(st.one_of(st.none(), st.text(max_size=5), st.integers(-99, 99)), min_size=1, max_size=4).map(
        lambda each: {"enum": each}
    ),
)


def _objects(schemas: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    properties = st.dictionaries(st.text('abcé"\\', min_size=1, max_size=3), schemas, max_size=3)
    return st.tuples(properties, st.integers(0, 3)).map(
        lambda each: {
            "type": "object",
            "properties": each[0],
            "required": list(each[0])[: each[1]],
            "additionalProperties": False,
        }
    )


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        _objects(inner),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: {"anyOf": each}),
        inner.map(lambda each: {"type": "array", "items": each, "maxItems": 3}),
    ),
    max_leaves=5,
)


@settings(max_examples=80, deadline=None)
@given(schema=SCHEMAS, seed=st.integers(0, 1000))
def test_random_answer_matches_its_json_schema(schema: dict[str, Any], seed: int) -> None:
    generated = random_match(Constraint("json_schema", json.dumps(schema)), seed)
    assert generated is None or _fits(json.loads(generated), schema)


@settings(max_examples=40, deadline=None)
@given(
    choices=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), min_size=1, max_size=6),
    seed=st.integers(0, 1000),
)
def test_random_answer_is_one_of_the_choices(choices: list[str], seed: int) -> None:
    generated = random_match(Constraint("choice", json.dumps(choices)), seed)
    assert generated is not None
    assert generated.decode() in choices


@dataclass(frozen=True)
class Case:
    source: str
    matches: Callable[[str], object]


def balanced(text: str) -> bool:
    while "()" in text:
        text = text.replace("()", "")
    return not text


GBNF = [
    Case('root ::= [a-z]+ "b" # greedy lexers never end here', re.compile("[a-z]+b").fullmatch),
    Case(
        'root ::= ("x" | "yy"){2,3} [^a-z"\\\\]? end\nend ::= "\\u00e9" | "\\x41\\n"',
        re.compile('(?:x|yy){2,3}[^a-z"\\\\]?(?:é|A\n)').fullmatch,
    ),
    Case('root ::= "(" root ")" root | ""', balanced),
    Case("root ::= [-a\\]] . [^\\n]*", re.compile(r"[-a\]][\s\S][^\n]*").fullmatch),
]


@pytest.mark.parametrize("case", GBNF, ids=lambda case: case.source[:20])
def test_random_answer_matches_its_gbnf_grammar(case: Case) -> None:
    ended = [
        generated
        for seed in range(60)
        if (generated := random_match(Constraint("gbnf", case.source), seed)) is not None
    ]
    assert len(set(ended)) > 5
    for generated in ended:
        assert case.matches(generated.decode()), generated


@pytest.mark.parametrize(
    "source",
    [
        'root ::= "a',
        'root ::= "a" )',
        "root ::= [z-a]",
        "root ::= []",
        'root ::= "\\q"',
        'root ::= "\\ud800"',
        'root ::= "a"{3,2}',
        'root ::= "a"{2001}',
        "root ::= other",
        'other ::= "a"',
        'root ::= "a"\nroot ::= "b"',
        "",
        "root ::= " + "(" * 65 + '"a"' + ")" * 65,
        'root ::= "a"\n' + "".join(f'r{i} ::= "a"\n' for i in range(1000)),
    ],
)
def test_invalid_gbnf_grammar_raises_constraint_error(source: str) -> None:
    with pytest.raises(ConstraintError):
        compile_constraint(Constraint("gbnf", source), TOKENIZER)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {f"p{i}": {} for i in range(2001)}},
        {"allOf": [{"type": "string", "pattern": f"a.*{i}"} for i in range(9)]},
        {"allOf": [{"type": "integer", "multipleOf": 101}, {"type": "integer", "multipleOf": 103}]},
        {"anyOf": [{"$ref": "#/$defs/a"}] * 1001, "$defs": {"a": {"type": "null"}}},
        {"type": "object", "if": {"required": ["a"]}},
        {"description": "x" * 300_000},
    ],
)
def test_excessive_json_schema_raises_constraint_error(schema: dict[str, Any]) -> None:
    with pytest.raises(ConstraintError):
        compile_constraint(Constraint("json_schema", json.dumps(schema)), TOKENIZER)


@pytest.mark.parametrize(
    "source",
    [
        "start: <|end|>",
        'start: a\na[temperature=0.5]: "b"',
        'start: a\na[stop="x"]: /.*/',
        'start: %json {"not": {}}',
        'start: %json {"type": "string", "x-guidance": {"lenient": true}}',
        "start: A\nA: " + " & ".join(f"/.*{i}.*/" for i in range(10)),
        "start: unknown",
    ],
)
def test_excessive_lark_grammar_raises_constraint_error(source: str) -> None:
    with pytest.raises(ConstraintError):
        compile_constraint(Constraint("lark", source), TOKENIZER)


def test_grammar_constraint_applies_between_start_and_pause() -> None:
    grammar_constraint = GrammarConstraint(
        compile_constraint(Constraint("regex", "[ab]c"), TOKENIZER).matcher(), paused=True
    )

    def allowed() -> str:
        logits = np.zeros(257, np.float32)
        assert grammar_constraint.restrict(logits, {END}) is None
        return bytes(np.flatnonzero(np.isfinite(logits))[:256].astype(np.uint8)).decode("latin-1")

    assert len(allowed()) == 256
    grammar_constraint.accept(ord("z"))
    grammar_constraint.start("a")
    assert allowed() == "c"
    grammar_constraint.accept(ord("c"))
    done = [grammar_constraint.is_done]
    grammar_constraint.pause()
    assert [*done, grammar_constraint.is_done] == [True, False]
    assert len(allowed()) == 256
    grammar_constraint.start()
    assert allowed() == "ab"
    with pytest.raises(ConstraintError):
        grammar_constraint.accept(ord("c"))


@pytest.fixture
def cache() -> Iterator[ConstraintCache]:
    cache = ConstraintCache(BACKEND.constraint_tokenizer, BACKEND.keep_model_loaded)
    yield cache
    cache.close()


def test_least_recently_used_compiled_constraint_is_evicted(cache: ConstraintCache) -> None:
    first = cache.get(Constraint("regex", "a"))
    for i in range(MAX_CACHED - 1):
        cache.get(Constraint("regex", f"b{i}"))
    assert cache.get(Constraint("regex", "a")) is first
    second = cache.get(Constraint("regex", "b1"))
    for i in range(MAX_CACHED - 2):
        cache.get(Constraint("regex", f"c{i}"))
    assert cache.get(Constraint("regex", "b1")) is second
    cache.get(Constraint("regex", "d"))
    assert cache.get(Constraint("regex", "a")) is not first


def test_two_answers_with_one_compiled_constraint_are_independent(cache: ConstraintCache) -> None:
    compiled = cache.get(Constraint("regex", "ab"))
    one, other = compiled.matcher(), compiled.matcher()
    one.advance(ord("a"))
    copy = one.copy()
    one.advance(ord("b"))
    assert (one.must_end, copy.must_end, other.must_end) == (True, False, False)
    other.advance(ord("a"))


SLOW = Constraint("json_schema", json.dumps({"type": "object", "properties": {f"p{i}": {} for i in range(2000)}}))


def test_slow_compilation_fails_at_deadline_and_succeeds_on_retry() -> None:
    """On a busy machine, any compilation may miss its deadline, so the constraint must not be rejected permanently."""
    cache = ConstraintCache(lambda: TOKENIZER, nullcontext, deadline_s=0.005)
    started = time.monotonic()
    with pytest.raises(ConstraintError, match="too long"):
        cache.get(SLOW)
    assert time.monotonic() - started < 10
    patient = time.monotonic() + 20
    while True:
        try:
            compiled = cache.get(SLOW)
            break
        except ConstraintError:
            assert time.monotonic() < patient
    assert cache.get(SLOW) is compiled
    cache.close()
    with pytest.raises(NotLoaded):
        cache.get(Constraint("regex", "a"))


def test_retries_of_slow_compilation_start_no_second_thread() -> None:
    cache = ConstraintCache(lambda: TOKENIZER, nullcontext, deadline_s=0.005)
    for _ in range(4):
        with suppress(ConstraintError):
            cache.get(SLOW)
        assert sum(each.name == "inglenook-constraint" for each in threading.enumerate()) <= 1
    cache.close()


def test_model_stays_loaded_until_running_compilation_ends() -> None:
    backend = FakeBackend(Script(), Limits(256, 4, 32))
    cache = ConstraintCache(backend.constraint_tokenizer, backend.keep_model_loaded, deadline_s=0.005)
    with pytest.raises(ConstraintError, match="too long"):
        cache.get(SLOW)
    cache.close()
    backend.close()
    assert not backend.is_model_freed()
    for thread in threading.enumerate():
        if thread.name == "inglenook-constraint":
            thread.join(20)
    assert backend.is_model_freed()
    with pytest.raises(NotLoaded), backend.keep_model_loaded():
        pass
