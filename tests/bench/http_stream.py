"""Measures what HTTP adds to the engine. The client is another process on the same cores.

`http.speed` and `http.one_stream_engine`: decode speed of one greedy stream over HTTP, divided by that of the engine
without HTTP. `http.ttft_share`: the milliseconds that HTTP adds to the time to first token."""

from __future__ import annotations

import asyncio
import statistics

from engine.engine import Engine
from engine.requests import GREEDY
from tests.bench.engine_run import QUESTION, question, submit_and_time
from tests.bench.figure import Figure, spread
from tests.bench.http_load import body, send
from tests.bench.http_servers import ours
from tests.bench.pairs import Pairs, alternate

N_TOKENS = 256
N_FIRSTS, N_FIRST_ROUNDS = 20, 5


def one_stream_engine() -> tuple[Figure, Figure]:
    """The decode speed over HTTP, divided by that of the engine. One value is reported as two figures, whose bounds
    differ."""
    speeds = asyncio.run(_beside_the_engine()).compare(float)
    against = speeds.against("through the engine", "tokens/s")
    return (
        Figure("http.speed", speeds.ratio, 0.85, "ratio", against, "at least"),
        Figure("http.one_stream_engine", speeds.ratio, 0.88, "ratio", against, "at least"),
    )


async def _beside_the_engine() -> Pairs[float]:
    async with ours() as (engine, endpoint):

        async def over_http(_: int) -> float:
            (timing,) = await send(endpoint.port, [body(QUESTION, N_TOKENS)])
            return timing.tokens_per_s

        async def through_engine(_: int) -> float:
            return (await submit_and_time(engine, question(QUESTION, "endpoint", N_TOKENS))).tokens_per_s

        return await alternate(over_http, through_engine)


def ttft_share() -> Figure:
    over_http, through_engine = asyncio.run(_first_times())
    added_ms = (statistics.median(over_http) - statistics.median(through_engine)) * 1000
    against = f"through the engine, p50: {spread([each * 1000 for each in through_engine])} ms"
    return Figure("http.ttft_share", added_ms, 5.0, "ms", against)


async def _first_times() -> tuple[list[float], list[float]]:
    """Seconds to the first text over HTTP, and without HTTP. The HTTP connection is already open, since most clients
    reuse connections."""
    over_http: list[float] = []
    through_engine: list[float] = []
    async with ours() as (engine, endpoint):
        for _ in range(N_FIRST_ROUNDS):
            through_engine += [await _first_s(engine) for _ in range(N_FIRSTS)]
            timing = await send(endpoint.port, [body(QUESTION, 2)] * N_FIRSTS, at_once=False, reuse=True)
            over_http += [each.first_s for each in timing]
    return over_http, through_engine


async def _first_s(engine: Engine) -> float:
    return (await submit_and_time(engine, question(QUESTION, "endpoint", 2, GREEDY))).first_s
