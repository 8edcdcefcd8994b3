"""Measures what a remote engine adds to llama-server. The other side is a client of the standard library.

`remote.overhead`: the time to first token through a remote engine, divided by that of the plain client.
`remote.overhead_ms`: the difference in milliseconds. Each question has N_WORDS words and is new, so only the beginning
of its prompt is cached. Both sides open a connection for each question, because llama-server closes it after a stream;
the plain client does so before its time begins.

`remote.throughput`: the same for the total speed of N_STREAMS answers at once."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.chat_engine import ChatEngine
from engine.remote.client import ConnectionClient
from engine.remote.connection import Connection
from engine.remote.discovery import find_server
from engine.remote.remote_engine import RemoteEngine
from engine.remote.remote_thread import RemoteThread
from engine.requests import ChatRequest
from tests.bench.engine_run import Timing, question, submit_and_time
from tests.bench.figure import Figure, Result, Skipped
from tests.bench.http_load import long_body, send, send_batch, stories
from tests.bench.http_servers import llama_server, no_llama_server
from tests.bench.pairs import Pairs, alternate

N_FIRSTS, N_WORDS = 10, 60
N_STREAMS, N_TOKENS_EACH, N_CTX_EACH = 32, 24, 128
NAMES = ("remote.overhead", "remote.overhead_ms", "remote.throughput")


def first_token() -> tuple[Result, ...]:
    if why := no_llama_server():
        return tuple(Skipped(name, why) for name in NAMES[:2])
    with llama_server(1) as port:
        firsts = asyncio.run(_first_tokens(port)).compare(float)
    against = firsts.against(f"straight to llama-server, {N_WORDS} words, p50", "ms")
    added = statistics.median(mine - other for mine, other in zip(firsts.ours, firsts.theirs, strict=True))
    return Figure(NAMES[0], firsts.ratio, 1.05, "ratio", against), Figure(NAMES[1], added, 5.0, "ms", against)


def throughput() -> Result:
    if why := no_llama_server():
        return Skipped(NAMES[2], why)
    with llama_server(N_STREAMS, N_CTX_EACH) as port:
        speeds = asyncio.run(_throughput(port)).compare(float)
    against = speeds.against(f"straight to llama-server -np {N_STREAMS}", "tokens/s")
    return Figure(NAMES[2], speeds.ratio, 0.95, "ratio", against, "at least")


async def _first_tokens(port: int) -> Pairs[float]:
    """The medians of N_FIRSTS times, in milliseconds."""
    numbers = itertools.count(1000)

    async def straight(_: int) -> float:
        bodies = [long_body(N_WORDS, next(numbers), 2) for _ in range(N_FIRSTS)]
        answers = await send(port, bodies, at_once=False)
        return 1000 * statistics.median(answer.first_s for answer in answers)

    async with remote_engine(port) as engine:

        async def through(_: int) -> float:
            texts = [long_body(N_WORDS, next(numbers), 2)["messages"][0]["content"] for _ in range(N_FIRSTS)]
            answers = [await submit_and_time(engine, question(text, "endpoint", 2)) for text in texts]
            return 1000 * statistics.median(answer.first_s for answer in answers)

        return await alternate(through, straight)


async def _throughput(port: int) -> Pairs[float]:
    async def straight(at: int) -> float:
        return (await send_batch(port, stories(N_STREAMS, N_TOKENS_EACH, at * N_STREAMS))).tokens_per_s

    async with remote_engine(port) as engine:

        async def through(at: int) -> float:
            requests = [_story(at * N_STREAMS + i, N_TOKENS_EACH) for i in range(N_STREAMS)]
            began = time.perf_counter()
            answers = await asyncio.gather(*(submit_and_time(engine, request) for request in requests))
            return sum(map(_n_tokens, answers)) / (time.perf_counter() - began)

        return await alternate(through, straight)


@asynccontextmanager
async def remote_engine(port: int) -> AsyncIterator[ChatEngine]:
    thread = RemoteThread()
    client = ConnectionClient(Connection.to(f"127.0.0.1:{port}"), thread=thread)
    try:
        engine = RemoteEngine(client, (await find_server(client)).models[0])
        yield engine
        await engine.aclose()
    finally:
        await client.aclose()
        await thread.aclose()


def _story(number: int, n_tokens: int) -> ChatRequest:
    return question(f"Tell me a long story about number {number}.", "endpoint", n_tokens)


def _n_tokens(answer: Timing) -> int:
    assert answer.finished is not None
    return answer.finished.usage.n_output
