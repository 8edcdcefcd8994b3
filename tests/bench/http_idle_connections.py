"""`http.idle_sockets`: decode speed of eight streams while 200 other connections are idle, divided by the speed without
idle connections. The two are measured in turn."""

from __future__ import annotations

import asyncio
import socket
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.bench.figure import Figure, spread
from tests.bench.http_load import send_batch, stories
from tests.bench.http_servers import ours

N_SOCKETS, N_STREAMS, N_TOKENS, N_ROUNDS = 200, 8, 64, 5


def measure() -> Figure:
    ratios, speeds = asyncio.run(_measure())
    against = f"{N_STREAMS} streams without {N_SOCKETS} idle sockets: {spread(speeds)} tokens/s"
    return Figure("http.idle_sockets", statistics.median(ratios), 0.95, "ratio", against, "at least")


async def _measure() -> tuple[list[float], list[float]]:
    ratios, speeds = [], []
    async with ours() as (_, endpoint):
        for at in range(N_ROUNDS + 1):
            bodies = stories(N_STREAMS, N_TOKENS, at * N_STREAMS)
            await send_batch(endpoint.port, bodies)  # this run fills the prompt cache, which affects both measurements
            alone = (await send_batch(endpoint.port, bodies)).tokens_per_s
            with _idle(endpoint.port):
                beside = (await send_batch(endpoint.port, bodies)).tokens_per_s
            speeds.append(alone)
            ratios.append(beside / alone)
    return ratios[1:], speeds[1:]


@contextmanager
def _idle(port: int) -> Iterator[None]:
    """Keeps idle connections open. Each has sent one request, so that the keep-alive timeout applies to it."""
    request = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    with ExitStack() as open_sockets:
        sockets = []
        for _ in range(N_SOCKETS):
            sockets.append(open_sockets.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)))
            sockets[-1].sendall(request)
        for each in sockets:
            assert each.recv(4096).startswith(b"HTTP/1.1 200")
        yield
