"""Measures the effect of 500 clients that disconnect at a random point: in the request header, in the body, during
prefill, or during the answer. They close the connection by FIN or RST.

`http.vanish`: seconds from the last disconnect until none of their requests is running. `http.vanish_memory`: the
growth of resident memory during the 500 disconnects, after 500 others for warm-up."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
import socket
import struct
import time

import psutil

from api.activity import Activity
from api.app import create_app
from api.request_context import activity_of
from api.server import EndpointServer
from api.settings import EndpointSettings
from engine.engine import Engine
from tests.bench.engine_run import question, running_engine
from tests.bench.figure import Figure
from tests.bench.http_load import KEY, body

N_CLIENTS, N_AT_ONCE = 500, 16
MB = 1024 * 1024
TIMEOUT_S = 20.0
QUESTION = "Tell me a long story about the sea and number {}."


def measure() -> tuple[Figure, Figure]:
    free_s, grown, first = asyncio.run(_measure())
    how = f"{N_CLIENTS} clients, {N_AT_ONCE} at once"
    return (
        Figure("http.vanish", free_s, 1.0, "s", f"{how}; the next answer is the same"),
        Figure("http.vanish_memory", grown / MB, 5.0, "MB", f"{first / MB:.0f} MB after {how} before"),
    )


async def _measure() -> tuple[float, int, int]:
    rng, settings = random.Random(4645), EndpointSettings(key=KEY, port=0)
    async with running_engine() as engine:
        app = create_app(engine, settings)
        endpoint = EndpointServer(app, settings)
        await endpoint.start_async()
        try:
            expected = await _answer(engine)
            await _disconnect_all(endpoint.port, rng)
            await _wait_until_free(engine, activity_of(app))
            first = _resident()
            await _disconnect_all(endpoint.port, rng)
            free_s = await _wait_until_free(engine, activity_of(app))
            assert await _answer(engine) == expected
            return free_s, _resident() - first, first
        finally:
            await endpoint.stop_async()


async def _answer(engine: Engine) -> str:
    text, _ = await engine.submit(question(max_tokens=16)).collect()
    return text


async def _disconnect_all(port: int, rng: random.Random) -> None:
    left = iter(range(N_CLIENTS))

    async def client() -> None:
        for at in left:
            await _disconnect(port, at, rng)

    await asyncio.gather(*(client() for _ in range(N_AT_ONCE)))


async def _disconnect(port: int, at: int, rng: random.Random) -> None:
    """Sends a request, or only its beginning, and disconnects up to half a second later."""
    content = json.dumps({**body(QUESTION.format(at) + " word" * rng.randrange(400), 500)}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    request = head.encode() + content
    end = rng.randrange(len(request)) if rng.random() < 0.3 else len(request)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request[:end])
    await asyncio.sleep(rng.random() * 0.5)
    if rng.random() < 0.5:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _wait_until_free(engine: Engine, activity: Activity) -> float:
    """Waits until neither the endpoint nor the engine has a running request. Returns the seconds waited."""
    started = time.monotonic()
    while len(activity) or any(engine.progress(call.id) for call in activity.views()):
        if time.monotonic() - started > TIMEOUT_S:
            break
        await asyncio.sleep(0.005)
    return time.monotonic() - started


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)
