"""A greedy or seeded request that runs alone gives the same answer bit by bit: cold, cached, after any load, and after
a restart.

Log probabilities are compared too: they show differences in rounding that do not change the text. The number of threads
is fixed, because a busy machine may change it, and the rounding of long contexts depends on it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.events import Started, TextDelta
from engine.requests import GREEDY, ChatRequest, CompletionRequest, Message, Request, Sampling, new_request_id

Answer = tuple[int, list[tuple[bytes, float]]]
"""The number of cached prompt tokens, and each token of the answer with its log probability."""

RULES = " ".join(f"Rule {i}: item {i * 7 % 13} goes to shelf {i * 5 % 11}." for i in range(1, 24))
CLERK = ChatRequest(
    (Message("system", f"You are a clerk. {RULES}"), Message("user", "Which shelf for item 3? Explain.")),
    "endpoint",
    sampling=GREEDY,
    max_tokens=16,
    n_logprobs=0,
)


@asynccontextmanager
async def running_engine(model: Path, snapshots: Path | None) -> AsyncIterator[Engine]:
    engine = Engine(snapshots=snapshots)
    await engine.load(model, LoadSettings(n_ctx=4096, n_threads=1))
    try:
        yield engine
    finally:
        await engine.aclose()


async def answer(engine: Engine, request: Request) -> Answer:
    n_cached, choices = -1, []
    async for event in engine.submit(replace(request, id=new_request_id())):
        match event:
            case Started():
                n_cached = event.n_cached
            case TextDelta():
                choices += [(choice.token, choice.logprob) for choice in event.choices]
    return n_cached, choices


def prompt(n_tokens: int, seed: int, sampling: Sampling) -> CompletionRequest:
    """A request with a prompt of about `n_tokens` tokens."""
    rng = random.Random(seed)
    words = " ".join(rng.choice(("sea", "ship", "wind", "stone", "lamp", "bread")) for _ in range(n_tokens))
    return CompletionRequest(words, "endpoint", sampling, max_tokens=24, n_logprobs=0)


REQUESTS = [prompt(n, n, GREEDY if n % 2 else Sampling(temperature=0.9, seed=n)) for n in (10, 64, 129, 300, 600)]


async def put_load_on(engine: Engine, seed: int) -> None:
    """Runs parallel requests of several lengths, some of which begin like those in REQUESTS. Some are cancelled."""
    rng = random.Random(seed)

    async def one() -> None:
        request = prompt(rng.randrange(5, 100), rng.choice((10, 130, 300, 1000 + rng.randrange(9))), Sampling())
        request = replace(request, id=new_request_id(), max_tokens=rng.randrange(2, 40))
        n_events = 0
        async for _ in engine.submit(request):
            n_events += 1
            if n_events == 6 and rng.random() < 0.4:
                engine.cancel(request.id)

    await asyncio.gather(*(one() for _ in range(8)))


def test_answers_are_equal_cold_cached_after_load_and_after_a_restart(model_path: Path, tmp_path: Path) -> None:
    async def run() -> None:
        cold: list[Answer] = []
        async with running_engine(model_path, tmp_path) as engine:
            for request in REQUESTS:
                cold.append(await answer(engine, request))
                again = await answer(engine, request)
                assert again[1] == cold[-1][1], ("cached", request.prompt[:20], len(request.prompt))
                assert again[0] > cold[-1][0], len(request.prompt)
            await put_load_on(engine, 1)
            for request, (_, expected) in zip(REQUESTS, cold, strict=True):
                assert (await answer(engine, request))[1] == expected, ("after load", len(request.prompt))
        async with running_engine(model_path, tmp_path) as engine:
            await put_load_on(engine, 2)
            for request, (_, expected) in zip(REQUESTS, cold, strict=True):
                n_cached, choices = await answer(engine, request)
                assert choices == expected, ("after a restart", len(request.prompt))
                assert n_cached > 0 or len(request.prompt) < 1500, "the snapshot on disk was not used"

    asyncio.run(run())


def test_answer_is_equal_if_its_prompt_continues_a_cached_one(model_path: Path) -> None:
    """The second turn of a chat is computed from the cached first turn, or from its first token on."""

    async def run() -> None:
        first = replace(CLERK, sampling=Sampling(temperature=0.8, seed=5))
        turns = (*first.messages, Message("assistant", "On shelf 4."), Message("user", "And item 5?"))
        second = replace(first, messages=turns)
        async with running_engine(model_path, None) as engine:
            expected = await answer(engine, second)
        async with running_engine(model_path, None) as engine:
            await answer(engine, first)
            n_cached, choices = await answer(engine, second)
            assert n_cached >= 256, "only tokens after the last multiple of the prompt cut are computed again"
            assert choices == expected[1]
            await put_load_on(engine, 3)
            assert (await answer(engine, second))[1] == expected[1]

    asyncio.run(run())


def test_request_that_must_not_use_the_cache_gives_the_same_answer(model_path: Path) -> None:
    async def run() -> None:
        async with running_engine(model_path, None) as engine:
            answers = [await answer(engine, replace(CLERK, use_cache=use_cache)) for use_cache in (True, False) * 2]
        assert [bool(n_cached) for n_cached, _ in answers] == [False, False, True, False]
        assert all(choices == answers[0][1] for _, choices in answers)

    asyncio.run(run())
