"""A person's answer while a tool's prompt of 1,500 tokens is read: what each waits for the other.

Each round loads the model anew, so that all three readings of the prompt find an empty memory and an engine that has
still to learn the machine's speed."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass

from engine.engine import Engine
from tests.bench.figure import Figure, spread
from tests.bench.rig import Seen, default_model, engine, long_prompt, percentile, question, watch

N_PROMPT, N_ROUNDS = 1500, 4
N_ANSWER = 1800
"""More than the window writes while the prompt is read."""

LEAD_S = 2.0
"""So long the window writes alone before the prompt comes."""


@dataclass(frozen=True)
class Round:
    alone_s: float
    """Time to first token of the prompt by itself."""
    idle_s: float
    """The same beside a window whose answer is done and still in memory."""
    beside_s: float
    gaps_s: list[float]
    """Between the window's tokens while the prompt was read."""
    share: float
    """The window's tokens per second meanwhile ÷ just before."""


def measure() -> tuple[Figure, ...]:
    rounds = asyncio.run(_rounds())
    gaps = [gap for each in rounds for gap in each.gaps_s]
    alone = f"the same prompt alone: {spread([each.alone_s for each in rounds])} s"
    beside = f"while a prompt of {N_PROMPT} tokens is read; {len(gaps)} gaps in {len(rounds)} runs"
    return (
        Figure("engine.window_gap", 1000 * percentile(gaps, 0.99), 250.0, "ms p99", beside),
        Figure("engine.window_gap_longest", 1000 * max(gaps), 400.0, "ms", beside),
        Figure("engine.prompt_delay", _median([each.beside_s / each.alone_s for each in rounds]), 2.2, "ratio", alone),
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
    async with engine() as made:
        return [await _round(made, seed) for seed in range(1, N_ROUNDS + 1)]


async def _round(made: Engine, seed: int) -> Round:
    prompt = long_prompt(N_PROMPT, seed)
    await _begin_anew(made)
    alone = await watch(made, prompt)
    await _begin_anew(made)
    await watch(made, question(max_tokens=256))
    idle = await watch(made, long_prompt(N_PROMPT, seed))
    await _begin_anew(made)
    window, tool = await _both(made, seed)
    start, end = tool.asked, tool.arrivals[0][0]
    return Round(
        alone.first_s,
        idle.first_s,
        tool.first_s,
        window.gaps_s(start, end),
        window.speed(start, end) / window.speed(window.arrivals[0][0], start),
    )


async def _begin_anew(made: Engine) -> None:
    await made.load(default_model())
    await made.submit(question("Hello", max_tokens=16)).collect()


async def _both(made: Engine, seed: int) -> tuple[Seen, Seen]:
    answer = question(max_tokens=N_ANSWER)
    window = asyncio.create_task(watch(made, answer))
    await asyncio.sleep(LEAD_S)
    tool = await watch(made, long_prompt(N_PROMPT, seed))
    made.cancel(answer.id)
    seen = await window
    assert seen.finished is not None
    assert seen.finished.reason == "cancelled", "the window wrote as long as the prompt was read"
    return seen, tool
