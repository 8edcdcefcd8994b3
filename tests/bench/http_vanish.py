"""500 clients that vanish at a random point, in their header, their body, the reading of their prompt or their answer,
by a FIN or a RST. `http.vanish`: seconds until nothing of them is under way; `http.vanish_memory`: what they leave
behind of resident memory, after as many before."""

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
from tests.bench.figure import Figure
from tests.bench.http_asking import KEY, body
from tests.bench.rig import engine, question

N_CLIENTS, N_AT_ONCE = 500, 16
MB = 1024 * 1024
PATIENCE_S = 20.0
QUESTION = "Tell me a long story about the sea and number {}."


def measure() -> tuple[Figure, Figure]:
    free_s, grown, first = asyncio.run(_measure())
    how = f"{N_CLIENTS} clients, {N_AT_ONCE} at once"
    return (
        Figure("http.vanish", free_s, 1.0, "s", f"{how}; the next answer is the same"),
        Figure("http.vanish_memory", grown / MB, 5.0, "MB", f"{first / MB:.0f} MB after {how} before"),
    )


async def _measure() -> tuple[float, int, int]:
    chance, settings = random.Random(4645), EndpointSettings(key=KEY, port=0)
    async with engine() as made:
        app = create_app(made, settings)
        endpoint = EndpointServer(app, settings)
        await endpoint.start_async()
        try:
            expected = await _answer(made)
            await _crowd(endpoint.port, chance)
            await _until_free(made, activity_of(app))
            first = _resident()
            await _crowd(endpoint.port, chance)
            free_s = await _until_free(made, activity_of(app))
            assert await _answer(made) == expected
            return free_s, _resident() - first, first
        finally:
            await endpoint.stop_async()


async def _answer(made: Engine) -> str:
    text, _ = await made.submit(question(max_tokens=16)).collect()
    return text


async def _crowd(port: int, chance: random.Random) -> None:
    left = iter(range(N_CLIENTS))

    async def client() -> None:
        for at in left:
            await _vanish(port, at, chance)

    await asyncio.gather(*(client() for _ in range(N_AT_ONCE)))


async def _vanish(port: int, at: int, chance: random.Random) -> None:
    """Leaves within the request, or up to half a second after it."""
    content = json.dumps({**body(QUESTION.format(at) + " word" * chance.randrange(400), 500)}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    request = head.encode() + content
    end = chance.randrange(len(request)) if chance.random() < 0.3 else len(request)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request[:end])
    await asyncio.sleep(chance.random() * 0.5)
    if chance.random() < 0.5:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _until_free(made: Engine, activity: Activity) -> float:
    """Seconds until no request is under way, at the endpoint and in the engine."""
    began = time.monotonic()
    while len(activity) or any(made.progress(call.id) for call in activity.views()):
        if time.monotonic() - began > PATIENCE_S:
            break
        await asyncio.sleep(0.005)
    return time.monotonic() - began


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)
