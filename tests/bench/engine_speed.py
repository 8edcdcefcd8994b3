"""One stream and eight, through the engine ÷ bare loops of llama_decode, in turn."""

from __future__ import annotations

import asyncio
import statistics
import time

from tests.bench.bare import BareModel
from tests.bench.figure import Figure, spread
from tests.bench.rig import default_model, engine, question, watch

N_TOKENS, N_RUNS = 200, 7
N_STREAMS = 8


def one_stream() -> Figure:
    ratios, bare_speeds = asyncio.run(_one_stream())
    against = f"bare llama_decode, greedy, best thread count: {spread(bare_speeds)} tokens/s"
    return Figure("engine.one_stream", statistics.median(ratios), 0.97, "ratio", against, "at least")


async def _one_stream() -> tuple[list[float], list[float]]:
    ratios, bare_speeds = [], []
    with BareModel(default_model()) as bare:
        async with engine() as ours:
            n_threads = bare.best_thread_count()
            for _ in range(N_RUNS):
                bare_speeds.append(bare.tokens_per_s(n_threads, N_TOKENS))
                ratios.append((await watch(ours, question(max_tokens=N_TOKENS))).tokens_per_s / bare_speeds[-1])
    return ratios, bare_speeds


def eight_streams() -> Figure:
    ratios, bare_speeds = asyncio.run(_eight_streams())
    against = f"a bare batched loop of {N_STREAMS}, best thread count: {spread(bare_speeds)} tokens/s"
    return Figure("engine.eight_streams", statistics.median(ratios), 0.93, "ratio", against, "at least")


async def _eight_streams() -> tuple[list[float], list[float]]:
    ratios, bare_speeds = [], []
    with BareModel(default_model(), n_ctx=8192) as bare:
        async with engine() as ours:
            n_threads = max((1, 2), key=lambda n: bare.batch_tokens_per_s(n, N_STREAMS, 24))
            for _ in range(N_RUNS):
                bare_speeds.append(bare.batch_tokens_per_s(n_threads, N_STREAMS, N_TOKENS // 2))
                ratios.append(await _together(ours) / bare_speeds[-1])
    return ratios, bare_speeds


async def _together(ours: object) -> float:
    """Tokens per second of all, from the moment when all write until the first ends."""
    from engine.engine import Engine

    assert isinstance(ours, Engine)
    requests = [question(f"Tell me about number {i}.", "endpoint", N_TOKENS // 2) for i in range(N_STREAMS)]
    seen = await asyncio.gather(*(watch(ours, request) for request in requests))
    start = max(each.arrivals[0][0] for each in seen)
    end = min(each.arrivals[-1][0] for each in seen)
    n = sum(n for each in seen for moment, n in each.arrivals if start < moment <= end)
    return n / (end - start)


def busy_neighbour() -> Figure:
    ratios, bare_speeds = asyncio.run(_busy_neighbour())
    against = f"the best fixed thread count beside the same neighbour: {spread(bare_speeds)} tokens/s"
    return Figure("engine.busy_neighbour", statistics.median(ratios), 0.85, "ratio", against, "at least")


async def _busy_neighbour() -> tuple[list[float], list[float]]:
    import subprocess
    import sys

    ratios, bare_speeds = [], []
    with BareModel(default_model()) as bare:
        async with engine() as ours:
            neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            try:
                for _ in range(5):
                    bare_speeds.append(max(bare.tokens_per_s(n, 100) for n in (1, 2)))
                    ratios.append((await watch(ours, question(max_tokens=N_TOKENS))).tokens_per_s / bare_speeds[-1])
            finally:
                neighbour.kill()
                neighbour.wait()
                time.sleep(0.2)
    return ratios, bare_speeds
