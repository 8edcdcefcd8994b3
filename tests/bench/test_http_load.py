"""The client of HTTP benchmarks is a process of its own, and reports the time of each text."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable

import psutil

from tests.bench.http_load import Streamed, body, send, streaming

N_TEXTS, GAP_S = 4, 0.05
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _text(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\n\n"


async def _with_server(test: Callable[[int], Awaitable[None]], n_texts: int) -> list[int]:
    """Runs `test` with the port of a server that streams. Returns the process ids of the clients."""
    clients: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("peername")[1]
        clients.extend(
            child.pid
            for child in psutil.Process().children()
            for each in child.net_connections()
            if each.laddr.port == port
        )
        await reader.readuntil(b"}]")
        try:
            await stream(writer)
        finally:
            writer.transport.abort()

    async def stream(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        for at in range(n_texts):
            event = _text(f"word {at}")
            writer.write(_chunk(event[:9]) + _chunk(event[9:]))  # an event in two chunks
            await writer.drain()
            await asyncio.sleep(GAP_S)
        usage = b'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 4}}\n\ndata: [DONE]\n\n'
        writer.write(_chunk(usage) + b"0\r\n\r\n")
        await writer.drain()
        await tested.wait()

    tested = asyncio.Event()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        await test(server.sockets[0].getsockname()[1])
        tested.set()
    return clients


def test_client_is_a_process_of_its_own_and_reports_arrivals_and_counts() -> None:
    answers: list[Streamed] = []
    before = time.perf_counter()

    async def test(port: int) -> None:
        answers.extend(await send(port, [body("one", 4), body("two", 4)]))

    clients = asyncio.run(_with_server(test, N_TEXTS))

    assert len(set(clients)) == 1
    assert os.getpid() not in clients
    for answer in answers:
        assert (answer.n_prompt, answer.n_tokens, len(answer.arrivals_s)) == (7, 4, N_TEXTS)
        assert before < answer.sent_s < answer.arrivals_s[0] < answer.arrivals_s[-1] <= answer.ended_s
        assert all(gap > GAP_S / 2 for gap in answer.gaps_s(0.0, float("inf")))


def test_stopped_client_reports_what_has_arrived() -> None:
    answers: list[Streamed] = []

    async def test(port: int) -> None:
        async with streaming(port, [body("endless", 1000)]) as result:
            await asyncio.sleep(1.0)
            answers.extend(await result())

    asyncio.run(_with_server(test, 1000))
    assert 1 < len(answers[0].arrivals_s) < 1000
