"""Streams through the engine ÷ bare loops of llama_decode, in turn, in rounds short enough that whatever else the
machine does meets both."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable

from engine.engine import Engine
from tests.bench.bare import BareModel, of_best
from tests.bench.figure import Figure, spread
from tests.bench.rig import default_model, engine, question, watch

N_STREAMS = 8
N_TOKENS, N_TOKENS_EACH, N_ROUNDS = 96, 28, 8


def one_stream() -> Figure:
    ratios, bare_speeds = asyncio.run(_rounds(_one, 1, N_TOKENS))
    against = f"bare llama_decode, greedy, best thread count: {spread(bare_speeds)} tokens/s"
    return Figure("engine.one_stream", statistics.median(ratios), 0.97, "ratio", against, "at least")


def eight_streams() -> Figure:
    ratios, bare_speeds = asyncio.run(_rounds(_together, N_STREAMS, N_TOKENS_EACH))
    against = f"bare llama_decode of {N_STREAMS}, greedy, best thread count: {spread(bare_speeds)} tokens/s"
    return Figure("engine.eight_streams", statistics.median(ratios), 0.93, "ratio", against, "at least")


def busy_neighbour() -> Figure:
    """The neighbour runs all the time; the bare loop keeps each thread count for a whole round."""
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        # Fewer tokens for the bare loop: a wrong thread count is slow beside a neighbour.
        ratios, bare_speeds = asyncio.run(_rounds(_one, 1, N_TOKENS // 3))
    finally:
        neighbour.kill()
        neighbour.wait()
    against = f"the best fixed thread count, bare, beside the same busy loop: {spread(bare_speeds)} tokens/s"
    return Figure("engine.busy_neighbour", statistics.median(ratios), 0.85, "ratio", against, "at least")


async def _rounds(
    ask: Callable[[Engine], Awaitable[float]], n_sequences: int, n_tokens: int
) -> tuple[list[float], list[float]]:
    """Ours ÷ bare by round, and the bare speeds."""
    rounds, ours = [], []
    with BareModel(default_model(), n_sequences=n_sequences) as bare:
        async with engine() as made:
            for _ in range(N_ROUNDS):
                rounds.append(bare.speeds(n_tokens))
                ours.append(await ask(made))
    bare_speeds = of_best(rounds)
    return [mine / theirs for mine, theirs in zip(ours, bare_speeds, strict=True)], bare_speeds


async def _one(made: Engine) -> float:
    return (await watch(made, question(max_tokens=N_TOKENS))).tokens_per_s


async def _together(made: Engine) -> float:
    """Tokens per second of all, from the moment when all write until the first ends; each by its own first and last
    text there, since the texts of one step come one after the other.

    They ask what the bare loop's sequences are asked, so that attention spans as many cells in both."""
    requests = [question(origin="endpoint", max_tokens=N_TOKENS_EACH) for _ in range(N_STREAMS)]
    seen = await asyncio.gather(*(watch(made, request) for request in requests))
    start = max(each.arrivals[0][0] for each in seen)
    end = min(each.arrivals[-1][0] for each in seen)
    return sum(_speed([(at, n) for at, n in each.arrivals if start <= at <= end]) for each in seen)


def _speed(arrivals: list[tuple[float, int]]) -> float:
    """Tokens per second from the first arrival to the last."""
    return sum(n for _, n in arrivals[1:]) / (arrivals[-1][0] - arrivals[0][0])
