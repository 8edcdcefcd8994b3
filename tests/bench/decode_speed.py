"""Decode speed of the engine, divided by that of a minimal loop that calls llama_decode (`bare_model`).

The engine and the loop are measured in turn, in short rounds, so that other load on the machine affects both."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable

from engine.engine import Engine
from tests.bench.bare_model import speeds_of_best_count
from tests.bench.bare_process import bare_process
from tests.bench.engine_run import question, running_engine, submit_and_time
from tests.bench.figure import Figure, spread

N_STREAMS = 8
N_TOKENS, N_TOKENS_EACH, N_ROUNDS = 96, 28, 8


def one_stream() -> Figure:
    ratios, bare_speeds = asyncio.run(_rounds(_one_stream, 1, N_TOKENS))
    against = f"bare llama_decode, greedy, best thread count: {spread(bare_speeds)} tokens/s"
    return Figure("engine.one_stream", statistics.median(ratios), 0.98, "ratio", against, "at least")


def eight_streams() -> Figure:
    ratios, bare_speeds = asyncio.run(_rounds(_eight_streams, N_STREAMS, N_TOKENS_EACH))
    against = f"bare llama_decode of {N_STREAMS}, greedy, best thread count: {spread(bare_speeds)} tokens/s"
    return Figure("engine.eight_streams", statistics.median(ratios), 0.97, "ratio", against, "at least")


def busy_neighbour() -> Figure:
    """`engine.busy_neighbour`: decode speed of one stream while another process uses a core, divided by that of the
    minimal loop. In each round the loop is measured with each thread count."""
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        # The loop decodes fewer tokens, since it is slow with some thread counts while another process uses a core.
        ratios, bare_speeds = asyncio.run(_rounds(_one_stream, 1, N_TOKENS // 3))
    finally:
        neighbour.kill()
        neighbour.wait()
    against = f"the best fixed thread count, bare, beside the same busy loop: {spread(bare_speeds)} tokens/s"
    return Figure("engine.busy_neighbour", statistics.median(ratios), 0.85, "ratio", against, "at least")


async def _rounds(
    ask: Callable[[Engine], Awaitable[float]], n_sequences: int, n_tokens: int
) -> tuple[list[float], list[float]]:
    """Measures the engine and the minimal loop in turn. Returns two lists with a value for each round: the engine's
    speed divided by the loop's speed, and the loop's speed."""
    rounds, ours = [], []
    with bare_process(n_sequences) as bare:
        async with running_engine() as engine:
            for _ in range(N_ROUNDS):
                rounds.append(bare.speeds(n_tokens))
                ours.append(await ask(engine))
    bare_speeds = speeds_of_best_count(rounds)
    return [mine / theirs for mine, theirs in zip(ours, bare_speeds, strict=True)], bare_speeds


async def _one_stream(engine: Engine) -> float:
    return (await submit_and_time(engine, question(max_tokens=N_TOKENS))).tokens_per_s


async def _eight_streams(engine: Engine) -> float:
    """The total tokens per second of eight streams, while all of them decode.

    This period starts when the last stream has its first text, and ends when the first stream ends. The speed of each
    stream is measured from its own first text in the period to its last. The speeds are then added."""
    requests = [question(origin="endpoint", max_tokens=N_TOKENS_EACH) for _ in range(N_STREAMS)]
    timings = await asyncio.gather(*(submit_and_time(engine, request) for request in requests))
    start = max(each.arrivals[0][0] for each in timings)
    end = min(each.arrivals[-1][0] for each in timings)
    return sum(_speed([(at, n) for at, n in each.arrivals if start <= at <= end]) for each in timings)


def _speed(arrivals: list[tuple[float, int]]) -> float:
    """Tokens per second between the first and the last arrival."""
    return sum(n for _, n in arrivals[1:]) / (arrivals[-1][0] - arrivals[0][0])
