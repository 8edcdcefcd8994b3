"""Decode speed of the engine, divided by that of a bare llama_decode loop. The two alternate in short rounds, so that
other load on the machine affects both.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable

from engine.engine import Engine
from tests.bench.bare_model import BareModel, speeds_of_best_count
from tests.bench.engine_run import default_model, question, running_engine, submit_and_time
from tests.bench.figure import Figure, spread

N_STREAMS = 8
N_TOKENS, N_TOKENS_EACH, N_ROUNDS = 96, 28, 8


def one_stream() -> Figure:
    ratios, bare_speeds = asyncio.run(_rounds(_one_stream, 1, N_TOKENS))
    against = f"bare llama_decode, greedy, best thread count: {spread(bare_speeds)} tokens/s"
    return Figure("engine.one_stream", statistics.median(ratios), 0.97, "ratio", against, "at least")


def eight_streams() -> Figure:
    ratios, bare_speeds = asyncio.run(_rounds(_eight_streams, N_STREAMS, N_TOKENS_EACH))
    against = f"bare llama_decode of {N_STREAMS}, greedy, best thread count: {spread(bare_speeds)} tokens/s"
    return Figure("engine.eight_streams", statistics.median(ratios), 0.93, "ratio", against, "at least")


def busy_neighbour() -> Figure:
    """Decode speed of one stream beside a busy process. The bare loop tries each thread count in each round."""
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        # Fewer tokens for the bare loop, since a wrong thread count is slow beside a busy process.
        ratios, bare_speeds = asyncio.run(_rounds(_one_stream, 1, N_TOKENS // 3))
    finally:
        neighbour.kill()
        neighbour.wait()
    against = f"the best fixed thread count, bare, beside the same busy loop: {spread(bare_speeds)} tokens/s"
    return Figure("engine.busy_neighbour", statistics.median(ratios), 0.85, "ratio", against, "at least")


async def _rounds(
    ask: Callable[[Engine], Awaitable[float]], n_sequences: int, n_tokens: int
) -> tuple[list[float], list[float]]:
    """For each round the engine's speed divided by the bare loop's speed; and the bare loop's speeds."""
    rounds, ours = [], []
    with BareModel(default_model(), n_sequences=n_sequences) as bare:
        async with running_engine() as engine:
            for _ in range(N_ROUNDS):
                rounds.append(bare.speeds(n_tokens))
                ours.append(await ask(engine))
    bare_speeds = speeds_of_best_count(rounds)
    return [mine / theirs for mine, theirs in zip(ours, bare_speeds, strict=True)], bare_speeds


async def _one_stream(engine: Engine) -> float:
    return (await submit_and_time(engine, question(max_tokens=N_TOKENS))).tokens_per_s


async def _eight_streams(engine: Engine) -> float:
    """Total tokens per second from when all streams decode until the first ends.

    Each stream's speed is measured between its own first and last text in that time, since the texts of one step arrive
    one after another. The bare loop's sequences have the same prompts, so that attention spans the same number of cells
    in both.
    """
    requests = [question(origin="endpoint", max_tokens=N_TOKENS_EACH) for _ in range(N_STREAMS)]
    timings = await asyncio.gather(*(submit_and_time(engine, request) for request in requests))
    start = max(each.arrivals[0][0] for each in timings)
    end = min(each.arrivals[-1][0] for each in timings)
    return sum(_speed([(at, n) for at, n in each.arrivals if start <= at <= end]) for each in timings)


def _speed(arrivals: list[tuple[float, int]]) -> float:
    """Tokens per second from the first arrival to the last."""
    return sum(n for _, n in arrivals[1:]) / (arrivals[-1][0] - arrivals[0][0])
