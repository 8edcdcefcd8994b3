"""A greedy request gives the same answer bit by bit, whether uncached, from the cache, or after a restart.

Log probabilities are compared too: they show differences in rounding that do not change the text. The number of threads
is fixed, because llama.cpp divides the attention of a token among the threads, and rounding depends on that."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.events import Finished, Started, TextDelta
from engine.requests import GREEDY, ChatRequest, Message, new_request_id

RULES = " ".join(f"Rule {i}: item {i * 7 % 13} goes to shelf {i * 5 % 11}." for i in range(1, 24))
REQUEST = ChatRequest(
    (Message("system", f"You are a clerk. {RULES}"), Message("user", "Which shelf for item 3? Explain.")),
    "endpoint",
    sampling=GREEDY,
    max_tokens=16,
    n_logprobs=0,
)


async def answer(engine: Engine, *, use_cache: bool = True) -> tuple[int, list[tuple[bytes, float]]]:
    """Returns the number of cached prompt tokens, and each token of the answer with its log probability."""
    n_cached, choices = -1, []
    async for event in engine.submit(replace(REQUEST, use_cache=use_cache, id=new_request_id())):
        match event:
            case Started():
                n_cached = event.n_cached
            case TextDelta():
                choices += [(choice.token, choice.logprob) for choice in event.choices]
            case Finished():
                assert event.usage.n_prompt > 256, "the prompt must need several decode calls"
    return n_cached, choices


def test_greedy_answer_is_the_same_if_uncached_cached_or_after_a_restart(model_path: Path, tmp_path: Path) -> None:
    async def run() -> None:
        answers = []
        for n_asked in (3, 1):
            engine = Engine(snapshots=tmp_path)
            await engine.load(model_path, LoadSettings(n_ctx=1024, n_threads=1))
            answers += [await answer(engine) for _ in range(n_asked)]
            answers += [await answer(engine, use_cache=False)]
            await engine.aclose()
        assert [bool(n_cached) for n_cached, _ in answers] == [False, True, True, False, True, False]
        assert all(choices == answers[0][1] for _, choices in answers)

    asyncio.run(run())
