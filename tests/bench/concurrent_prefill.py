"""Measures how much an answer in the window and the prefill of an endpoint request delay each other. The prompt of the
request has 1,500 tokens.

Each round loads the model again, so that every prefill starts with empty KV memory and without speed estimates."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass

from engine.engine import Engine
from tests.bench.engine_run import (
    Timing,
    default_model,
    long_prompt,
    percentile,
    question,
    running_engine,
    submit_and_time,
)
from tests.bench.figure import Figure, spread

N_PROMPT, N_ROUNDS = 1500, 4
N_ANSWER = 1800
"""The length of the window's answer in tokens. The answer must not end during the prefill of the endpoint's prompt."""

LEAD_S = 2.0
"""The seconds for which only the window's answer is decoded before the endpoint's prompt is submitted."""


@dataclass(frozen=True)
class Round:
    alone_s: float
    """Time to first token of the endpoint's prompt when no other request is running."""
    idle_s: float
    """Time to first token of the endpoint's prompt when no other request is running, but KV memory contains a finished
    answer of the window."""
    concurrent_s: float
    """Time to first token of the endpoint's prompt while the window decodes an answer."""
    gaps_s: list[float]
    """The gaps between tokens of the window's answer during the endpoint's prefill."""
    share: float
    """The window's decode speed during the endpoint's prefill, divided by its speed before."""


def measure() -> tuple[Figure, ...]:
    rounds = asyncio.run(_rounds())
    gaps = [gap for each in rounds for gap in each.gaps_s]
    alone = f"the same prompt alone: {spread([each.alone_s for each in rounds])} s"
    beside = f"while a prompt of {N_PROMPT} tokens is read; {len(gaps)} gaps in {len(rounds)} runs"
    return (
        Figure("engine.window_gap", 1000 * percentile(gaps, 0.99), 250.0, "ms p99", beside),
        Figure("engine.window_gap_longest", 1000 * max(gaps), 400.0, "ms", beside),
        Figure(
            "engine.prompt_delay", _median([each.concurrent_s / each.alone_s for each in rounds]), 2.2, "ratio", alone
        ),
        Figure(
            "engine.prompt_delay_idle", _median([each.idle_s / each.alone_s for each in rounds]), 1.05, "ratio", alone
        ),
        Figure(
            "engine.window_share",
            _median([each.share for each in rounds]),
            0.15,
            "ratio",
            f"tokens/s of the same answer in the {LEAD_S:g} s before",
            "at least",
        ),
    )


def _median(values: list[float]) -> float:
    return statistics.median(values)


async def _rounds() -> list[Round]:
    async with running_engine() as engine:
        return [await _round(engine, seed) for seed in range(1, N_ROUNDS + 1)]


async def _round(engine: Engine, seed: int) -> Round:
    prompt = long_prompt(N_PROMPT, seed)
    await _reload(engine)
    alone = await submit_and_time(engine, prompt)
    await _reload(engine)
    await submit_and_time(engine, question(max_tokens=256))
    idle = await submit_and_time(engine, long_prompt(N_PROMPT, seed))
    await _reload(engine)
    window, tool = await _both(engine, seed)
    start, end = tool.submitted_s, tool.arrivals[0][0]
    return Round(
        alone.first_s,
        idle.first_s,
        tool.first_s,
        window.gaps_s(start, end),
        window.speed(start, end) / window.speed(window.arrivals[0][0], start),
    )


async def _reload(engine: Engine) -> None:
    await engine.load(default_model())
    await engine.submit(question("Hello", max_tokens=16)).collect()


async def _both(engine: Engine, seed: int) -> tuple[Timing, Timing]:
    answer = question(max_tokens=N_ANSWER)
    window = asyncio.create_task(submit_and_time(engine, answer))
    await asyncio.sleep(LEAD_S)
    tool = await submit_and_time(engine, long_prompt(N_PROMPT, seed))
    engine.cancel(answer.id)
    timing = await window
    assert timing.finished is not None
    assert timing.finished.reason == "cancelled", "the window must decode until the prompt is read"
    return timing, tool
