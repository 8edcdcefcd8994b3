"""`pool.swap`: the time in which one model replaces another in memory, divided by the time in which it is loaded alone.
Both files are in the page cache.

`pool.swaps`: how many requests had no answer during 200 random swaps of three tiny models under load.
`pool.swaps_leak`: the growth of resident memory meanwhile; the first quarter of the swaps is not counted."""

from __future__ import annotations

import asyncio
import gc
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.events import Failed, Finished
from engine.pool import ModelPool
from engine.requests import CompletionRequest, Sampling
from engine.step_arbiter import StepArbiter
from tests.bench.engine_run import default_model, question
from tests.bench.figure import Figure
from tests.model_files.tiny_models import TINY_MODELS

N_ROUNDS, N_SWAPS, N_LOADED, N_AT_ONCE = 5, 200, 2, 3
MB = 1024 * 1024


@dataclass
class SwapLog:
    """What happened during random swaps."""

    n_loads: int = 0
    n_answered: int = 0
    errors: list[str] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)
    """Resident memory in bytes after each load."""


class LimitedPool:
    """A pool whose memory holds `n_loaded` models."""

    def __init__(self, n_loaded: int = N_LOADED) -> None:
        self._n_loaded = n_loaded
        arbiter = StepArbiter()
        self.log = SwapLog()
        self.pool = ModelPool(lambda: Engine(arbiter=arbiter), lambda path, settings: 1, self._free)

    def _free(self) -> int:
        return self._n_loaded - len(self.pool.models)

    async def answer(self, path: Path, requests: Sequence[CompletionRequest]) -> None:
        async with self.pool.acquire(path, LoadSettings(n_ctx=512, n_threads=1)) as engine:
            for stream in [engine.submit(request) for request in requests]:
                async for event in stream:
                    if isinstance(event, Finished):
                        self.log.n_answered += 1
                    elif isinstance(event, Failed):
                        self.log.errors.append(type(event.error).__name__)


async def swap_randomly(folder: Path, n_loads: int) -> SwapLog:
    """Clients ask randomly chosen tiny models, until models were loaded `n_loads` times. Each request ends in the log.
    There are as many clients as models fit into memory, so that one of these is idle when another is loaded."""
    paths = [TINY_MODELS[name].write(folder / f"{name}.gguf") for name in ("plain", "gemma3", "mamba")]
    limited, seeded = LimitedPool(), random.Random(1)
    log, process = limited.log, psutil.Process()
    make_engine = limited.pool._make_engine

    def counted() -> Engine:
        log.n_loads += 1
        gc.collect()
        log.resident.append(int(process.memory_info().rss))
        return make_engine()

    limited.pool._make_engine = counted

    async def client() -> None:
        while log.n_loads < n_loads:
            requests = [
                CompletionRequest("abc" * 9, "endpoint", Sampling(seed=n), max_tokens=seeded.randrange(1, 30))
                for n in range(N_AT_ONCE)
            ]
            await limited.answer(seeded.choice(paths), requests)

    await asyncio.gather(*(client() for _ in range(N_LOADED)))
    await limited.pool.aclose()
    return log


def under_load() -> tuple[Figure, Figure]:
    with tempfile.TemporaryDirectory() as folder:
        log = asyncio.run(swap_randomly(Path(folder), N_SWAPS))
    after_first = log.resident[N_SWAPS // 4]
    against = f"{log.n_loads} loads, {log.n_answered} answers"
    growth_mb = (max(log.resident[-10:]) - after_first) / MB
    return (
        Figure("pool.swaps", len(log.errors), 0, "requests without an answer", against),
        Figure("pool.swaps_leak", growth_mb, 30.0, "MB", f"{after_first / MB:.0f} MB after a quarter; {against}"),
    )


def swap() -> Figure:
    loads_s, swaps_s = asyncio.run(_time_swaps(default_model()))
    against = f"{median(swaps_s) * 1000:.0f} ms; alone {median(loads_s) * 1000:.0f} ms"
    return Figure("pool.swap", median(swaps_s) / median(loads_s), 1.1, "ratio", against)


async def _time_swaps(path: Path) -> tuple[list[float], list[float]]:
    """Returns the times of loads into an empty memory, and of loads that unload another model, in seconds. Swaps and
    loads alternate. The two models are the same file with two context lengths."""
    loads_s, swaps_s = list[float](), list[float]()
    for _ in range(N_ROUNDS):
        limited = LimitedPool(n_loaded=1)
        for settings, times in ((LoadSettings(n_ctx=1024), loads_s), (LoadSettings(n_ctx=2048), swaps_s)):
            started = time.perf_counter()
            async with limited.pool.acquire(path, settings) as engine:
                times.append(time.perf_counter() - started)
                await engine.submit(question(max_tokens=2)).collect()
            await asyncio.sleep(0)
        await limited.pool.aclose()
    return loads_s, swaps_s
