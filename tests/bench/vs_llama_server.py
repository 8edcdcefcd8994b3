"""Compares our endpoint with llama.cpp's own server.

Both servers run at the same time and receive the same requests in turn. Before that, both have given N_EARLIER answers
to other prompts. Speeds of one stream are those from the first text to the last, speeds of eight streams those from the
first request to the end of the last answer."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

from tests.bench.figure import Figure, Result, Skipped
from tests.bench.http_load import DEFAULT_CHAIN, Batch, Streamed, body, long_body, send, send_batch, stories
from tests.bench.http_servers import llama_server, no_llama_server, ours
from tests.bench.pairs import Pairs, alternate

N_STREAMS = 8
N_TOKENS_ONE, N_TOKENS_BUSY, N_TOKENS_EACH = 192, 64, 64
N_EARLIER, N_EARLIER_TOKENS = 20, 32
LONG_PROMPT, LONG_CONTEXT = 2000, 4096
GREEDY: dict[str, float] = {"temperature": 0}


def one_stream() -> Result:
    return _one_stream("http.one_stream", GREEDY)


def one_stream_sampled() -> Result:
    """As `one_stream`, with the default samplers and a seed."""
    return _one_stream("http.one_stream_sampled", DEFAULT_CHAIN)


def eight_streams() -> tuple[Result, ...]:
    return _eight_streams("http.vs_llama_server", GREEDY)


def eight_streams_sampled() -> tuple[Result, ...]:
    """As `eight_streams`, with the default samplers and a seed."""
    return _eight_streams("http.vs_llama_server_sampled", DEFAULT_CHAIN)[:1]


def busy() -> Result:
    """Decode speed of one stream while another process uses a core."""
    name = "http.busy"
    if why := no_llama_server():
        return Skipped(name, why)
    with llama_server(1) as port:
        pairs = asyncio.run(_busy(port))
    speeds = pairs.compare(lambda answer: answer.tokens_per_s)
    against = speeds.against("llama-server beside one busy process", "tokens/s")
    return Figure(name, speeds.ratio, 1.8, "ratio", against, "at least")


def long_prompt() -> Result:
    """Time to first token of a long prompt, of which only the template's beginning is cached."""
    name = "http.long_prompt"
    if why := no_llama_server():
        return Skipped(name, why)
    with llama_server(1, LONG_CONTEXT) as port:
        pairs = asyncio.run(_long_prompt(port))
    n_prompt = pairs.ours[0].n_prompt
    firsts = pairs.compare(lambda answer: answer.first_s)
    return Figure(name, firsts.ratio, 1.02, "ratio", firsts.against(f"llama-server, {n_prompt} tokens", "s"))


def _one_stream(name: str, sampling: dict[str, float]) -> Result:
    if why := no_llama_server():
        return Skipped(name, why)
    with llama_server(1) as port:
        pairs = asyncio.run(_one_stream_pairs(port, sampling))
    speeds = pairs.compare(lambda answer: answer.tokens_per_s)
    against = speeds.against("llama-server", "tokens/s")
    return Figure(name, speeds.ratio, 1.0, "ratio", against, "at least")


def _eight_streams(name: str, sampling: dict[str, float]) -> tuple[Result, ...]:
    names = (name, f"{name}_ttft")
    if why := no_llama_server():
        return tuple(Skipped(each, why) for each in names)
    with llama_server(N_STREAMS) as port:
        pairs = asyncio.run(_eight_streams_pairs(port, sampling))
    reference = f"llama-server -np {N_STREAMS}"
    speeds = pairs.compare(lambda batch: batch.tokens_per_s)
    waits = pairs.compare(lambda batch: 1000 * batch.mean_first_s)
    return (
        Figure(names[0], speeds.ratio, 1.0, "ratio", speeds.against(reference, "tokens/s"), "at least"),
        Figure(names[1], waits.ratio, 0.9, "ratio", waits.against(f"{reference}, mean of {N_STREAMS} waits", "ms")),
    )


async def _one_stream_pairs(peer_port: int, sampling: dict[str, float]) -> Pairs[Streamed]:
    async def measure(port: int, at: int) -> Streamed:
        (answer,) = await send(port, stories(1, N_TOKENS_ONE, at, **sampling))
        return answer

    async with used(peer_port) as our_port:
        return await alternate(partial(measure, our_port), partial(measure, peer_port))


async def _eight_streams_pairs(peer_port: int, sampling: dict[str, float]) -> Pairs[Batch]:
    async def measure(port: int, at: int) -> Batch:
        return await send_batch(port, stories(N_STREAMS, N_TOKENS_EACH, at * N_STREAMS, **sampling))

    async with used(peer_port) as our_port:
        return await alternate(partial(measure, our_port), partial(measure, peer_port))


async def _busy(peer_port: int) -> Pairs[Streamed]:
    async def measure(port: int, at: int) -> Streamed:
        (answer,) = await send(port, stories(1, N_TOKENS_BUSY, at))
        return answer

    async with used(peer_port) as our_port:
        with busy_process():
            return await alternate(partial(measure, our_port), partial(measure, peer_port))


async def _long_prompt(peer_port: int) -> Pairs[Streamed]:
    async def measure(port: int, at: int) -> Streamed:
        (answer,) = await send(port, [long_body(LONG_PROMPT, at, 2)])
        return answer

    async with ours() as (_, endpoint):
        for port in (endpoint.port, peer_port):
            await send(port, stories(1, 16))
        pairs = await alternate(partial(measure, endpoint.port), partial(measure, peer_port), n_warm=0)
    lengths = [(mine.n_prompt, other.n_prompt) for mine, other in zip(pairs.ours, pairs.theirs, strict=True)]
    assert all(mine == other for mine, other in lengths), f"the servers read different prompts: {lengths}"
    return pairs


@asynccontextmanager
async def used(*peer_ports: int) -> AsyncIterator[int]:
    """Runs our endpoint, and yields its port after it and the other servers have answered N_EARLIER other prompts."""
    prompts = [f"{'Once upon a time. ' * (at % 7)}What is special about city {at}?" for at in range(N_EARLIER)]
    earlier = [body(text, N_EARLIER_TOKENS) for text in prompts]
    async with ours() as (_, endpoint):
        for port in (endpoint.port, *peer_ports):
            await send(port, earlier, at_once=False)
        yield endpoint.port


@contextmanager
def busy_process() -> Iterator[None]:
    """Runs a process that uses one core."""
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        neighbour.kill()
        neighbour.wait()
