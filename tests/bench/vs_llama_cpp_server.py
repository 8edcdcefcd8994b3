"""Compares eight greedy streams over HTTP with llama_cpp.server, which serves one request at a time.

`http.vs_llama_cpp_server`: our speed, divided by that of the other server. `http.vs_llama_cpp_server_ttft`: our longest
time to first token, divided by that of the other server. The last part of the prompts differs between rounds, so that
it is never cached."""

from __future__ import annotations

import asyncio

from tests.bench.figure import Figure, Result, Skipped
from tests.bench.http_load import Batch, send_batch, stories
from tests.bench.http_servers import llama_cpp_server, no_llama_cpp_server, ours
from tests.bench.pairs import Pairs, alternate

N_STREAMS, N_TOKENS = 8, 64
REFERENCE = "llama_cpp.server, without interruptions"


def measure() -> tuple[Result, ...]:
    names = ("http.vs_llama_cpp_server", "http.vs_llama_cpp_server_ttft")
    if why := no_llama_cpp_server():
        return tuple(Skipped(name, why) for name in names)
    with llama_cpp_server() as port:
        pairs = asyncio.run(_pairs(port))
    speeds = pairs.compare(lambda batch: batch.tokens_per_s)
    waits = pairs.compare(lambda batch: 1000 * batch.longest_first_s)
    against = speeds.against(f"{REFERENCE}, from request to end", "tokens/s")
    return (
        Figure(names[0], speeds.ratio, 2.0, "ratio", against, "at least"),
        Figure(names[1], waits.ratio, 0.2, "ratio", waits.against(f"{REFERENCE}, the longest of {N_STREAMS}", "ms")),
    )


async def _pairs(peer_port: int) -> Pairs[Batch]:
    async with ours() as (_, endpoint):
        return await alternate(
            lambda at: send_batch(endpoint.port, stories(N_STREAMS, N_TOKENS, at * N_STREAMS)),
            lambda at: send_batch(peer_port, stories(N_STREAMS, N_TOKENS, at * N_STREAMS)),
        )
