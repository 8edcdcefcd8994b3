"""Drafts with the real model: the same answers, bit by bit, in fewer steps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.events import Finished, TextDelta, TokenChoice, Usage
from engine.requests import GREEDY, CompletionRequest, Constraint, Sampling, new_request_id

LINE = "The quick fox, the old harbour, a lamp of brass, seven sails, two gulls over grey water.\n"
COPY = CompletionRequest(f"{LINE}{LINE}The quick fox,", "endpoint", GREEDY, max_tokens=90, n_logprobs=2)
STORY = CompletionRequest("Once upon a time, there was a", "endpoint", GREEDY, max_tokens=60, n_logprobs=2)
SEEDED = Sampling(temperature=0.4, repeat_penalty=1.05, seed=7)


async def answer(engine: Engine, request: CompletionRequest) -> tuple[list[TokenChoice], Usage, str]:
    choices: list[TokenChoice] = []
    async for event in engine.submit(replace(request, id=new_request_id())):
        match event:
            case TextDelta():
                choices += event.choices
            case Finished():
                return choices, event.usage, event.reason
    raise AssertionError("the request failed")


def key(choices: list[TokenChoice]) -> list[tuple[object, ...]]:
    """Everything of the tokens, ids and log probabilities included."""
    return [(each.id, each.logprob, each.other_ids, each.others) for each in choices]


@pytest.mark.parametrize(
    "request_",
    [
        COPY,
        STORY,
        replace(COPY, sampling=SEEDED),
        replace(COPY, constraint=Constraint("regex", r"( the [a-z]+,| a lamp[a-z ,]+, seven| [A-Za-z, .]+\n?){1,40}")),
        replace(COPY, stop=("grey water",)),
        replace(COPY, sampling=replace(GREEDY, logit_bias=((198, -3.0),), repeat_penalty=1.1)),
    ],
    ids=["copy", "story", "seeded", "constrained", "stop", "penalties"],
)
def test_answer_with_drafts_equals_the_answer_without(model_path: Path, request_: CompletionRequest) -> None:
    async def run() -> None:
        engine = Engine()
        await engine.load(model_path, LoadSettings(n_ctx=512, n_threads=1))
        try:
            plain = await answer(engine, replace(request_, n_draft_max=0))
            for _ in range(2):
                drafted = await answer(engine, request_)
                assert key(drafted[0]) == key(plain[0])
                assert drafted[2] == plain[2]
                assert drafted[1].n_output == plain[1].n_output
            assert plain[1].n_drafted == 0
            if request_ == COPY:
                assert drafted[1].n_accepted > 40
        finally:
            await engine.aclose()

    asyncio.run(run())


def test_long_greedy_request_takes_the_same_steps_every_time(model_path: Path) -> None:
    """With one thread, because the choice between several depends on what else the machine computes."""
    lines = "".join(f"The {n % 7} sails of boat {n} are {('grey', 'brown', 'red')[n % 3]}.\n" for n in range(40))
    request = replace(COPY, prompt=f"{lines}\nOnce more:\n{lines[:80]}", max_tokens=120)

    async def run() -> None:
        engine = Engine()
        await engine.load(model_path, LoadSettings(n_ctx=2048, n_threads=1))
        try:
            first = await answer(engine, request)
            assert first[1].n_prompt > 512
            assert first[1].n_drafted > 20
            for others in ((), (STORY, replace(STORY, prompt="A list of towns:"))):
                await asyncio.gather(*(answer(engine, each) for each in others))
                again = await answer(engine, request)
                assert key(again[0]) == key(first[0])
                assert (again[1].n_drafted, again[1].n_accepted) == (first[1].n_drafted, first[1].n_accepted)
        finally:
            await engine.aclose()

    asyncio.run(run())
