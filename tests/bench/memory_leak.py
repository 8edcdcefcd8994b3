"""`engine.leak`: the growth of resident memory over 10,000 random requests. The first 1,000 are not counted. Requests
are answered, cancelled or fail.

The engine is real and has a tiny model, so that the memory of llama.cpp is included."""

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
    rng, ends = random.Random(1), dict[str, int]()
    try:
        await _send_many(engine, rng, N_FIRST, {})
        first = _resident()
        await _send_many(engine, rng, N_REQUESTS, ends)
        return first, _resident(), ends
    finally:
        await engine.aclose()


async def _send_many(engine: Engine, rng: random.Random, n: int, ends: dict[str, int]) -> None:
    left = iter(range(n))

    async def client() -> None:
        for _ in left:
            end = await _send(engine, rng)
            ends[end] = ends.get(end, 0) + 1

    await asyncio.gather(*(client() for _ in range(N_AT_ONCE)))


async def _send(engine: Engine, rng: random.Random) -> str:
    kind = rng.random()
    prompt = "".join(rng.choices(LETTERS, k=N_CTX + 9 if kind < 0.2 else rng.randrange(1, 40)))
    sampling = Sampling(temperature=rng.random(), repeat_penalty=1.1)
    origins: tuple[Origin, Origin] = ("window", "endpoint")
    n_logprobs = rng.choice((None, None, 2))
    request = CompletionRequest(
        prompt=prompt,
        origin=rng.choice(origins),
        sampling=sampling,
        max_tokens=rng.randrange(1, 6),
        n_logprobs=n_logprobs,
    )
    stream = engine.submit(request)
    if kind > 0.7:
        asyncio.get_running_loop().call_later(rng.random() * 0.02, stream.cancel)
    try:
        _, finished = await stream.collect()
    except RequestError:
        return "failed"
    return "cancelled" if finished.reason == "cancelled" else "answered"


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)
