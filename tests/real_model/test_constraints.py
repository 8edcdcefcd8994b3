"""Constrained decoding with the real model: answers satisfy every kind of constraint with every sampler."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engine.errors import ConstraintError
from engine.events import Failed
from engine.requests import ChatRequest, CompletionRequest, Constraint, Sampling
from tests.conftest import chat
from tests.real_model.test_engine import real_engine

PERSON = json.dumps(
    {
        "type": "object",
        "properties": {
            "name": {"type": "string", "pattern": "^[A-Z][a-z]{1,10}$"},
            "age": {"type": "integer", "minimum": 0, "maximum": 120},
            "pets": {"type": "array", "items": {"enum": ["cat", "dog"]}, "minItems": 1, "maxItems": 3},
        },
        "required": ["name", "age", "pets"],
        "additionalProperties": False,
    }
)


def is_person(text: str) -> bool:
    person = json.loads(text)
    return (
        list(person) == ["name", "age", "pets"]
        and re.fullmatch("[A-Z][a-z]{1,10}", person["name"]) is not None
        and type(person["age"]) is int
        and 0 <= person["age"] <= 120
        and 1 <= len(person["pets"]) <= 3
        and set(person["pets"]) <= {"cat", "dog"}
    )


def constrained_chat(constraint: Constraint, text: str = "Describe a person as JSON.", **more: object) -> ChatRequest:
    return replace(chat(text, max_tokens=200), constraint=constraint, **more)  # type: ignore[arg-type]


def test_answers_match_their_constraints_while_an_unconstrained_answer_runs(model_path: Path) -> None:
    async def run() -> None:
        constraints = [
            Constraint("json_schema", PERSON),
            Constraint("regex", r"[A-Z][a-z]+( [a-z]+){2,5}\."),
            Constraint("choice", '["Zürich", "Oslo", "東京"]'),
            Constraint("lark", 'start: "I say " WORD ("," WORD){0,3} "!"\nWORD: /[a-z]{2,9}/'),
            Constraint("gbnf", 'root ::= item{3}\nitem ::= "- " [^\\n]{3,20} "\\n"'),
        ]
        matches: list[Callable[[str], object]] = [
            is_person,
            re.compile(r"[A-Z][a-z]+( [a-z]+){2,5}\.").fullmatch,
            re.compile("Zürich|Oslo|東京").fullmatch,
            re.compile("I say [a-z]{2,9}(,[a-z]{2,9}){0,3}!").fullmatch,
            re.compile(r"(- [^\n]{3,20}\n){3}").fullmatch,
        ]
        async with real_engine(model_path) as engine:
            free = chat(max_tokens=40)
            alone = (await engine.submit(free).collect())[0]
            beside, *answers = await asyncio.gather(
                engine.submit(replace(free, id="beside")).collect(),
                *(engine.submit(constrained_chat(each)).collect() for each in constraints),
            )
            assert beside[0][:30] == alone[:30], "the constraints of other requests changed a free answer"
            for (text, finished), match in zip(answers, matches, strict=True):
                assert match(text), text
                assert finished.reason == "stop"

    asyncio.run(run())


def test_json_object_constraint_gives_a_json_object_unless_max_tokens_ends_the_answer(model_path: Path) -> None:
    async def run() -> None:
        async with real_engine(model_path) as engine:
            start = '{"city": "Paris", "sights": ['
            text, finished = await engine.submit(
                constrained_chat(Constraint("json_object"), answer_start=start, max_tokens=150)
            ).collect()
            if finished.reason == "stop":
                assert isinstance(json.loads(start + text), dict)
            else:
                assert finished.usage.n_output == 150
            cut, finished = await engine.submit(constrained_chat(Constraint("json_object"), max_tokens=5)).collect()
            assert finished.reason == "length"
            assert cut.startswith("{")

    asyncio.run(run())


SAMPLERS = [
    Sampling(temperature=1.5, top_k=0, top_p=1.0, min_p=0.0, seed=1),
    Sampling(temperature=1.0, typical_p=0.5, top_k=0, seed=2),
    Sampling(temperature=1.0, typical_p=0.9, seed=2),
    Sampling(temperature=2.0, top_n_sigma=1.0, seed=3),
    Sampling(temperature=1.0, mirostat=True, seed=4),
    Sampling(temperature=1.0, temperature_range=0.5, xtc_probability=0.9, xtc_threshold=0.01, seed=5),
    Sampling(temperature=1.0, repeat_penalty=1.5, frequency_penalty=2.0, dry_multiplier=0.8, seed=6),
    Sampling(temperature=0.0, ignore_eos=True),
    Sampling(temperature=1.0, ignore_eos=True, seed=7),
]


def test_answers_satisfy_their_constraint_with_every_sampler(model_path: Path) -> None:
    async def run() -> None:
        async with real_engine(model_path) as engine:
            for sampling in SAMPLERS:
                request = constrained_chat(Constraint("json_schema", PERSON), sampling=sampling)
                text, finished = await engine.submit(request).collect()
                assert is_person(text)
                assert finished.reason == "stop"

    asyncio.run(run())


def test_request_fails_if_logit_bias_forbids_all_tokens_that_the_constraint_allows(model_path: Path) -> None:
    async def run() -> None:
        async with real_engine(model_path) as engine:
            for temperature in (0.0, 1.0):
                all_forbidden = tuple((token, float("-inf")) for token in range(49_152))
                sampling = Sampling(temperature=temperature, logit_bias=all_forbidden)
                request = CompletionRequest(
                    "1 + 1 =", "endpoint", sampling, constraint=Constraint("regex", "[0-9]{3}"), max_tokens=9
                )
                events = [event async for event in engine.submit(request)]
                assert isinstance(events[-1], Failed)
                assert isinstance(events[-1].error, ConstraintError)
            text, _ = await engine.submit(replace(request, sampling=Sampling(), id="free")).collect()
            assert re.fullmatch("[0-9]{3}", text)

    asyncio.run(run())
