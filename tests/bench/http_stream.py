"""Measures one greedy stream over HTTP. The client is another process on the same cores, and the compared servers
receive the same requests in turn.

`http.one_stream`: decode speed, divided by that of llama-server. `http.speed` and `http.one_stream_engine`: decode
speed, divided by that of the engine without HTTP. `http.ttft_share`: the milliseconds that HTTP adds to the time to
first token."""

from __future__ import annotations

import asyncio
import statistics

from engine.engine import Engine
from engine.requests import GREEDY
from tests.bench.engine_run import QUESTION, question, submit_and_time
from tests.bench.figure import Figure, Result, Skipped, spread
from tests.bench.http_load import body, send
from tests.bench.http_servers import llama_server, no_llama_server, ours

N_TOKENS, N_ROUNDS = 256, 5
N_FIRSTS, N_FIRST_ROUNDS = 20, 5


def one_stream() -> Result:
    name = "http.one_stream"
    if why := no_llama_server():
        return Skipped(name, why)
    with llama_server(1) as port:
        ratios, speeds = asyncio.run(_alternate(port))
    return Figure(name, statistics.median(ratios), 1.0, "ratio", f"llama-server: {spread(speeds)} tokens/s", "at least")


async def _alternate(peer_port: int) -> tuple[list[float], list[float]]:
    ratios, speeds = [], []
    async with ours() as (_, endpoint):
        for _ in range(N_ROUNDS + 1):
            speeds.append(await _over_http(peer_port))
            ratios.append(await _over_http(endpoint.port) / speeds[-1])
    return ratios[1:], speeds[1:]


def one_stream_engine() -> tuple[Figure, Figure]:
    """The decode speed over HTTP, divided by that of the engine. One value is reported as two figures, whose bounds
    differ."""
    ratios, speeds = asyncio.run(_against_the_engine())
    against = f"through the engine: {spread(speeds)} tokens/s"
    ratio = statistics.median(ratios)
    return (
        Figure("http.speed", ratio, 0.85, "ratio", against, "at least"),
        Figure("http.one_stream_engine", ratio, 0.88, "ratio", against, "at least"),
    )


async def _against_the_engine() -> tuple[list[float], list[float]]:
    ratios, speeds = [], []
    async with ours() as (engine, endpoint):
        for _ in range(N_ROUNDS):
            timing = await submit_and_time(engine, question(QUESTION, "endpoint", N_TOKENS, GREEDY))
            speeds.append(timing.tokens_per_s)
            ratios.append(await _over_http(endpoint.port) / speeds[-1])
    return ratios, speeds


async def _over_http(port: int) -> float:
    (timing,) = await send(port, [body(QUESTION, N_TOKENS)])
    return timing.tokens_per_s


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
            timing = await send(endpoint.port, [body(QUESTION, 2)] * N_FIRSTS, at_once=False)
            over_http += [each.first_s for each in timing]
    return over_http, through_engine


async def _first_s(engine: Engine) -> float:
    return (await submit_and_time(engine, question(QUESTION, "endpoint", 2, GREEDY))).first_s
