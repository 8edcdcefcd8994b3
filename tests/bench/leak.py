"""`engine.leak`: growth of resident memory over 10,000 requests by chance, answered, cancelled or failed, after the
first 1,000. The real engine with a tiny model, so that what llama.cpp loses counts too."""

from __future__ import annotations

import asyncio
import gc
import random
import tempfile
from pathlib import Path

import psutil

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.errors import RequestError
from engine.priority import Origin
from engine.requests import CompletionRequest, Sampling
from tests.bench.figure import Figure
from tests.model_files.tiny_models import LETTERS, TINY_MODELS

N_FIRST, N_REQUESTS, N_AT_ONCE, N_CTX = 1_000, 10_000, 8, 512
MB = 1024 * 1024


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        path = TINY_MODELS["plain"].write(Path(folder) / "tiny.gguf")
        first, last, ends = asyncio.run(_measure(path))
    counts = ", ".join(f"{n} {end}" for end, n in sorted(ends.items()))
    against = f"{first / MB:.1f} MB after the first {N_FIRST}; {counts}"
    return Figure("engine.leak", (last - first) / MB, 5.0, "MB", against)


async def _measure(path: Path) -> tuple[int, int, dict[str, int]]:
    engine = Engine()
    await engine.load(path, LoadSettings(n_ctx=N_CTX, n_threads=1))
    chance, ends = random.Random(1), dict[str, int]()
    try:
        await _many(engine, chance, N_FIRST, {})
        first = _resident()
        await _many(engine, chance, N_REQUESTS, ends)
        return first, _resident(), ends
    finally:
        await engine.aclose()


async def _many(engine: Engine, chance: random.Random, n: int, ends: dict[str, int]) -> None:
    left = iter(range(n))

    async def asker() -> None:
        for _ in left:
            end = await _ask(engine, chance)
            ends[end] = ends.get(end, 0) + 1

    await asyncio.gather(*(asker() for _ in range(N_AT_ONCE)))


async def _ask(engine: Engine, chance: random.Random) -> str:
    kind = chance.random()
    prompt = "".join(chance.choices(LETTERS, k=N_CTX + 9 if kind < 0.2 else chance.randrange(1, 40)))
    sampling = Sampling(temperature=chance.random(), repeat_penalty=1.1)
    origins: tuple[Origin, Origin] = ("window", "endpoint")
    n_logprobs = chance.choice((None, None, 2))
    request = CompletionRequest(
        prompt=prompt,
        origin=chance.choice(origins),
        sampling=sampling,
        max_tokens=chance.randrange(1, 6),
        n_logprobs=n_logprobs,
    )
    stream = engine.submit(request)
    if kind > 0.7:
        asyncio.get_running_loop().call_later(chance.random() * 0.02, stream.cancel)
    try:
        _, finished = await stream.collect()
    except RequestError:
        return "failed"
    return "cancelled" if finished.reason == "cancelled" else "answered"


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)
