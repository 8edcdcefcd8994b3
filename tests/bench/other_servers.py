"""Compares eight greedy streams over HTTP: from our endpoint, from llama-server and from llama_cpp.server.

`engine.vs_llama_server`, `http.vs_llama_server` and `http.vs_llama_cpp_server`: our decode speed, divided by that of
the other server. Figures that end in `_ttft`: our longest time to first token, divided by that of the other server. The
compared servers receive the same requests in turn. The last part of the prompts differs between rounds, so that it is
never cached."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.bench.figure import Figure, Result, Skipped, spread
from tests.bench.http_load import Batch, send_batch, stories
from tests.bench.http_servers import (
    llama_cpp_server,
    llama_server,
    no_llama_cpp_server,
    no_llama_server,
    ours,
)

N_STREAMS, N_TOKENS = 8, 64
N_ROUNDS, N_SLOW_ROUNDS = 8, 3

Pairs = list[tuple[Batch, Batch]]
"""For each round, our result and the result of the other server."""


def measure() -> tuple[Result, ...]:
    """Compares with llama-server. The first two figures have the same value under two names."""
    names = ("engine.vs_llama_server", "http.vs_llama_server", "http.vs_llama_server_ttft")
    if why := no_llama_server():
        return tuple(Skipped(name, why) for name in names)
    pairs = _pairs(lambda: llama_server(N_STREAMS), N_ROUNDS)
    return (
        _speed(names[0], 1.0, pairs, f"llama-server -np {N_STREAMS}"),
        _speed(names[1], 1.0, pairs, f"llama-server -np {N_STREAMS}"),
        _longest_first(names[2], 1.0, pairs, f"llama-server -np {N_STREAMS}"),
    )


def measure_llama_cpp_server() -> tuple[Result, ...]:
    names = ("http.vs_llama_cpp_server", "http.vs_llama_cpp_server_ttft")
    if why := no_llama_cpp_server():
        return tuple(Skipped(name, why) for name in names)
    pairs = _pairs(llama_cpp_server, N_SLOW_ROUNDS)
    return (
        _speed(names[0], 2.0, pairs, "llama_cpp.server, without interruptions"),
        _longest_first(names[1], 0.2, pairs, "llama_cpp.server, without interruptions"),
    )


def _speed(name: str, bound: float, pairs: Pairs, other: str) -> Figure:
    ratio = statistics.median(mine.tokens_per_s / theirs.tokens_per_s for mine, theirs in pairs)
    speeds = spread([theirs.tokens_per_s for _, theirs in pairs])
    return Figure(name, ratio, bound, "ratio", f"{other}, from request to end: {speeds} tokens/s", "at least")


def _longest_first(name: str, bound: float, pairs: Pairs, other: str) -> Figure:
    ratio = statistics.median(mine.longest_first_s / theirs.longest_first_s for mine, theirs in pairs)
    waits = spread([theirs.longest_first_s * 1000 for _, theirs in pairs])
    return Figure(name, ratio, bound, "ratio", f"{other}, the longest of {N_STREAMS} waits: {waits} ms")


def _pairs(peer: Callable[[], AbstractContextManager[int]], n_rounds: int) -> Pairs:
    with peer() as port:
        return asyncio.run(_rounds(port, n_rounds))


async def _rounds(peer_port: int, n_rounds: int) -> Pairs:
    pairs = []
    async with ours() as (_, endpoint):
        for at in range(n_rounds + 1):
            bodies = stories(N_STREAMS, N_TOKENS, at * N_STREAMS)
            # The servers alternate in which one is measured first, so that other load on the machine affects both.
            ports = (endpoint.port, peer_port) if at % 2 else (peer_port, endpoint.port)
            batches = {port: await send_batch(port, bodies) for port in ports}
            pairs.append((batches[endpoint.port], batches[peer_port]))
    return pairs[1:]  # the first round loads the weights into memory and fills the prompt caches of both servers
