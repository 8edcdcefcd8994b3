"""`http.fuzz`: the number of violations in 5,000 random requests, many of them hostile.

A violation is an internal error other than 503, a missing answer, or a wrong answer to the next ordinary request. The
engine is real and has a tiny model, so that llama.cpp and the constraints are tested too."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from api.app import create_app
from api.openapi import describe
from api.settings import EndpointSettings
from engine.backend import LoadSettings
from engine.engine import Engine
from tests.api.openapi_fuzzer import Fuzz, Outcome, client_of, plain_answer
from tests.bench.figure import Figure
from tests.bench.http_load import KEY
from tests.bench.http_servers import served
from tests.model_files.tiny_models import TINY_MODELS

N_REQUESTS, N_CTX = 5_000, 512


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        path = TINY_MODELS["plain"].write(Path(folder) / "tiny.gguf")
        outcome = asyncio.run(_measure(path))
    counts = ", ".join(f"{n} × {status}" for status, n in sorted(outcome.statuses.items()))
    against = "; ".join([counts, *outcome.problems[:3]])
    return Figure("http.fuzz", float(len(outcome.problems)), 0.0, "problems", against)


async def _measure(path: Path) -> Outcome:
    engine = Engine()
    await engine.load(path, LoadSettings(n_ctx=N_CTX, n_threads=1))
    try:
        async with served(engine) as endpoint:
            description = describe(create_app(engine, EndpointSettings(key=KEY, port=0)))
            return await asyncio.to_thread(_fuzz, f"http://127.0.0.1:{endpoint.port}", description)
    finally:
        await engine.aclose()


def _fuzz(root: str, description: dict[str, object]) -> Outcome:
    with client_of(root, KEY) as client:
        return Fuzz(client, plain_answer(client)).run(description, N_REQUESTS)
