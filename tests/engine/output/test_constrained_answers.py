"""Constrained answers through the engine. Without a constraint, the fake backend writes letters endlessly."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import replace

import pytest

from engine.backend import Limits
from engine.engine import Engine
from engine.errors import ConstraintError, EngineError
from engine.events import Failed, Finished, TextDelta
from engine.requests import ChatRequest, Constraint
from tests.conftest import chat
from tests.engine.test_engine import check_shape, engine_over, events_of
from tests.fakes import FakeOpener, Script

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "maximum": 200}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
)
CITIES = Constraint("choice", '["Paris", "Parma", "Rome", "Par"]')
SUM = Constraint("gbnf", 'root ::= "(" root ")" | [0-9]{1,3}')


def constrained_request(constraint: Constraint, text: str = "Answer.", **more: object) -> ChatRequest:
    return replace(chat(text, max_tokens=300), constraint=constraint, **more)  # type: ignore[arg-type]


async def error_of(engine: Engine, constraint: Constraint) -> EngineError:
    events = await events_of(engine.submit(constrained_request(constraint)))
    assert len(events) == 1, "an error before the first token is the only event"
    assert isinstance(events[0], Failed)
    return events[0].error


@pytest.mark.parametrize(
    ("constraint", "pattern"),
    [
        (Constraint("regex", "[0-9]{3}-[0-9]{2}"), r"\d{3}-\d\d"),
        (CITIES, "Paris|Parma|Rome|Par"),
        (Constraint("lark", 'start: "a" B\nB: /b+c/'), "ab+c"),
        (SUM, r"\(*\d{1,3}\)*"),
        (Constraint("json_schema", '{"enum": [1, "two", null]}'), '1|"two"|null'),
    ],
)
def test_answer_matches_its_constraint_and_ends(constraint: Constraint, pattern: str) -> None:
    async def run() -> None:
        async with engine_over(FakeOpener()) as engine:
            generated = set()
            for question in map(str, range(12)):
                text, finished = await engine.submit(constrained_request(constraint, question)).collect()
                assert finished.reason == "stop"
                assert re.fullmatch(pattern, text), text
                generated.add(text)
            assert len(generated) > 1, "the constraint leaves a choice, and it is made"

    asyncio.run(run())


@pytest.mark.parametrize("constraint", [Constraint("json_object"), Constraint("json_schema", SCHEMA)])
def test_answer_with_json_constraint_is_valid_json(constraint: Constraint) -> None:
    async def run() -> None:
        async with engine_over(FakeOpener(Script(answer=b'{"name": "Ann", "age": 3}'))) as engine:
            text, finished = await engine.submit(constrained_request(constraint)).collect()
            assert json.loads(text) == {"name": "Ann", "age": 3}
            assert finished.reason == "stop"

    asyncio.run(run())


def test_complete_answer_ends_without_end_token_and_emits_held_back_text() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener()) as engine:
            only = Constraint("choice", '["yes"]')
            text, finished = await engine.submit(constrained_request(only, stop=("es!", "s?"))).collect()
            assert (text, finished.reason, finished.usage.n_output) == ("yes", "stop", 3)
            text, finished = await engine.submit(constrained_request(only, stop=("es",))).collect()
            assert (text, finished.reason) == ("y", "stop")

    asyncio.run(run())


def test_constrained_answer_truncated_by_max_tokens_finishes_with_length() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener()) as engine:
            text, finished = await engine.submit(replace(constrained_request(CITIES), max_tokens=2)).collect()
            assert finished.reason == "length"
            assert len(text) == 2

    asyncio.run(run())


def test_min_tokens_is_ignored_if_the_constraint_allows_no_more_text() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener(Script(answer=b""))) as engine:
            text, _ = await engine.submit(constrained_request(Constraint("regex", "a{1,5}"), min_tokens=3)).collect()
            assert len(text) in (3, 4, 5)
            text, _ = await engine.submit(constrained_request(Constraint("regex", "a{2}"), min_tokens=9)).collect()
            assert text == "aa"

    asyncio.run(run())


def test_constraint_applies_to_answer_including_its_given_start() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener()) as engine:
            generated = {
                (await engine.submit(constrained_request(CITIES, str(i), answer_start="Par")).collect())[0]
                for i in range(20)
            }
            assert generated == {"is", "ma", ""}
            events = await events_of(engine.submit(constrained_request(CITIES, answer_start="Berlin")))
            assert isinstance(events[-1], Failed)
            assert isinstance(events[-1].error, ConstraintError)
            text, finished = await engine.submit(constrained_request(CITIES, answer_start="Rome")).collect()
            assert (text, finished.reason) == ("", "stop")

    asyncio.run(run())


def test_logprobs_are_computed_before_the_constraint_is_applied() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener()) as engine:
            events = await events_of(engine.submit(constrained_request(SUM, n_logprobs=1)))
            check_shape(events)
            choices = [choice for event in events if isinstance(event, TextDelta) for choice in event.choices]
            assert choices
            assert all(choice.logprob > -10 for choice in choices)
            assert all(choice.others[0][0] in b"abcdefghijklmnopqrstuvwxyz " for choice in choices)

    asyncio.run(run())


def test_constrained_answer_is_the_same_after_preemption() -> None:
    async def run() -> None:
        script = Script()
        opener = FakeOpener(script, Limits(n_cells=400, n_slots=4, n_batch=16))
        async with engine_over(opener) as engine:
            requests = [
                constrained_request(Constraint("regex", "([a-z]{5}-){12}[0-9]"), "one " * 9),
                constrained_request(Constraint("gbnf", 'root ::= ([a-z]{4} ":"){10}'), "two " * 7),
            ]
            alone = [(await engine.submit(replace(each, id=f"a{i}")).collect())[0] for i, each in enumerate(requests)]
            script.kv_full_at = set(range(opener.backends[0].n_decodes, opener.backends[0].n_decodes + 400, 7))
            together = await asyncio.gather(*(engine.submit(each).collect() for each in requests))
            assert [text for text, _ in together] == alone
            assert re.fullmatch("([a-z]{5}-){12}[0-9]", alone[0])
            assert re.fullmatch("([a-z]{4}:){10}", alone[1])

    asyncio.run(run())


HOSTILE = [
    Constraint("gbnf", "root ::= this is (not valid"),
    Constraint("gbnf", "root ::= " + "(" * 60_000 + '"a"' + ")" * 60_000),
    Constraint("gbnf", "root ::= " + "(" * 20_000 + '"a"' + ")" * 20_000),
    Constraint("gbnf", "\n".join(f"r{i} ::= r{i + 1}" for i in range(5000))),
    Constraint("gbnf", "root ::= root"),
    Constraint("gbnf", 'root ::= "a" root'),
    Constraint("lark", "start: start"),
    Constraint("lark", "start: " + "(" * 30_000 + '"a"' + ")" * 30_000),
    Constraint("lark", "start: r0\n" + "".join(f"r{i}: r{i + 1}\n" for i in range(5000))),
    Constraint("regex", "(" * 30_000),
    Constraint("regex", "a" * 100_000_000),
    Constraint("regex", "a[z-a]"),
    Constraint("regex", "(?=a)b"),
    Constraint("json_schema", '{"type": "array", "items": ' * 300 + "{}" + "}" * 300),
    Constraint("json_schema", "[" * 100_000),
    Constraint("json_schema", '{"$ref": "https://example.com/schema.json"}'),
    Constraint("json_schema", '{"type": "string", "pattern": "' + "(" * 2000 + 'a"}'),
    Constraint("json_schema", '{"type": "string", "pattern": "^*$"}'),
    Constraint("json_schema", '{"type": "string", "minLength": 5, "maxLength": 2}'),
    Constraint("json_schema", '{"type": "integer", "multipleOf": 1000003}'),
    Constraint("json_schema", '{"type": "array", "uniqueItems": true}'),
    Constraint("json_schema", '{"not": {"type": "string"}}'),
    Constraint("json_schema", "false"),
    Constraint("json_schema", '{"type": "strin"}'),
    Constraint("choice", "[]"),
    Constraint("choice", '"yes"'),
    Constraint("choice", "["),
]
"""Constraints that cannot be enforced, and constraints that would crash or stall the process if there were no
limits."""

ODD = [
    Constraint("json_schema", '{"type": "array", "items": {"type": "integer"}, "maxItems": 100000}'),
    Constraint(
        "json_schema", json.dumps({"type": "object", "properties": {f"p{i}": {"type": "integer"} for i in range(500)}})
    ),
    Constraint("gbnf", "root ::= " + '"x"? ' * 200),
    Constraint("regex", "(a{1,1000}){1,1000}{1,1000}"),
    Constraint("regex", "(x?){200}y"),
    Constraint("regex", "(.*a){20}"),
]
"""Large or slow constraints. Each one may be rejected or enforced."""


def test_unenforceable_constraint_fails_within_seconds() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener(Script(step_s=0.001))) as engine:
            others = [asyncio.create_task(engine.submit(chat(str(i), max_tokens=2000)).collect()) for i in range(2)]
            for constraint in HOSTILE:
                started = time.monotonic()
                error = await error_of(engine, constraint)
                assert isinstance(error, ConstraintError), (constraint.kind, constraint.source[:60], error)
                assert len(error.reason) < 600
                assert time.monotonic() - started < 15
            for other in others:
                assert (await other)[1].reason == "length"

    asyncio.run(run())


def test_large_constraint_is_rejected_or_enforced_in_bounded_time() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener()) as engine:
            for constraint in ODD:
                started = time.monotonic()
                last = (await events_of(engine.submit(constrained_request(constraint))))[-1]
                assert isinstance(last, Finished) or (
                    isinstance(last, Failed) and isinstance(last.error, ConstraintError)
                )
                assert time.monotonic() - started < 20

    asyncio.run(run())


def test_answer_whose_token_masks_take_too_long_fails_without_affecting_other_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.output.constraints.compiled_constraint.SPENT_AT_ONCE_S", 0.0005)
    monkeypatch.setattr("engine.output.constraints.compiled_constraint.SPENT_PER_TOKEN_S", 0.0)

    async def run() -> None:
        opener = FakeOpener()
        async with engine_over(opener) as engine:
            free = asyncio.create_task(engine.submit(chat(max_tokens=600)).collect())
            slow = replace(constrained_request(Constraint("regex", "[a-z ]{3000}!"), max_tokens=None), min_tokens=2000)
            events = await events_of(engine.submit(slow))
            check_shape(events)
            assert isinstance(events[-1], Failed)
            assert isinstance(events[-1].error, ConstraintError)
            assert any(isinstance(event, TextDelta) for event in events), "it began well"
            assert (await free)[1].usage.n_output == 600
            assert opener.backends[0].n_open_samplers == 0
            assert (await engine.submit(chat(max_tokens=5)).collect())[1].usage.n_output == 5

    asyncio.run(run())
