"""One stream over HTTP, to a client of its own process on the same cores, greedy, the same requests in turn.

`http.one_stream`: tokens per second ÷ llama-server's. `http.speed`, `http.one_stream_engine`: ÷ through the engine in
this process. `http.ttft_share`: what HTTP adds to the time to the first token."""

from __future__ import annotations

import asyncio
import statistics

from engine.engine import Engine
from engine.requests import GREEDY
from tests.bench.figure import Figure, Result, Skipped, spread
from tests.bench.http_asking import asked, body
from tests.bench.http_servers import llama_server, no_llama_server, ours
from tests.bench.rig import QUESTION, question, watch

N_TOKENS, N_ROUNDS = 256, 5
N_FIRSTS, N_FIRST_ROUNDS = 20, 5


def one_stream() -> Result:
    name = "http.one_stream"
    if why := no_llama_server():
        return Skipped(name, why)
    with llama_server(1) as port:
        ratios, speeds = asyncio.run(_beside(port))
    return Figure(name, statistics.median(ratios), 1.0, "ratio", f"llama-server: {spread(speeds)} tokens/s", "at least")


async def _beside(peer_port: int) -> tuple[list[float], list[float]]:
    ratios, speeds = [], []
    async with ours() as (_, endpoint):
        for _ in range(N_ROUNDS + 1):
            speeds.append(await _over_http(peer_port))
            ratios.append(await _over_http(endpoint.port) / speeds[-1])
    return ratios[1:], speeds[1:]


def one_stream_engine() -> tuple[Figure, Figure]:
    """One measurement, held to two bounds: what the first endpoint had to keep, and what this one has to."""
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
            seen = await watch(engine, question(QUESTION, "endpoint", N_TOKENS, GREEDY))
            speeds.append(seen.tokens_per_s)
            ratios.append(await _over_http(endpoint.port) / speeds[-1])
    return ratios, speeds


async def _over_http(port: int) -> float:
    (seen,) = await asked(port, [body(QUESTION, N_TOKENS)])
    return seen.tokens_per_s


def ttft_share() -> Figure:
    over_http, through_engine = asyncio.run(_firsts())
    added_ms = (statistics.median(over_http) - statistics.median(through_engine)) * 1000
    against = f"through the engine, p50: {spread([each * 1000 for each in through_engine])} ms"
    return Figure("http.ttft_share", added_ms, 5.0, "ms", against)


async def _firsts() -> tuple[list[float], list[float]]:
    """Seconds to the first text; on a connection that is open, as clients keep theirs."""
    over_http: list[float] = []
    through_engine: list[float] = []
    async with ours() as (engine, endpoint):
        for _ in range(N_FIRST_ROUNDS):
            through_engine += [await _first_s(engine) for _ in range(N_FIRSTS)]
            seen = await asked(endpoint.port, [body(QUESTION, 2)] * N_FIRSTS, at_once=False)
            over_http += [each.first_s for each in seen]
    return over_http, through_engine


async def _first_s(engine: Engine) -> float:
    return (await watch(engine, question(QUESTION, "endpoint", 2, GREEDY))).first_s
