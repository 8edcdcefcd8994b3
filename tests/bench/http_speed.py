"""`http.speed`: tokens per second over HTTP, streamed to a client of its own process on the same cores, ÷ through the
engine in ours. Greedy, the same request, in turn."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from api.app import create_app
from api.server import EndpointServer
from api.settings import EndpointSettings
from engine.engine import Engine
from engine.library.default_model import find_default_model
from engine.library.profile import Profile
from engine.requests import GREEDY, ChatRequest, Message
from tests.bench.figure import Figure, spread

N_TOKENS, N_RUNS = 256, 5
QUESTION = "Tell me a long story about the sea."
KEY = "ink-bench"

CLIENT = """
import http.client, json, sys, time
port, key, body = int(sys.argv[1]), sys.argv[2], sys.argv[3]
connection = http.client.HTTPConnection("127.0.0.1", port)
headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json"}
connection.request("POST", "/v1/chat/completions", body, headers)
first, last, n = None, None, 0
for line in connection.getresponse():
    if line.startswith(b"data: {"):
        event = json.loads(line[6:])
        if event["choices"] and event["choices"][0]["delta"].get("content"):
            last = time.perf_counter()
            first = first or last
        if event.get("usage"):
            n = event["usage"]["completion_tokens"]
print((n - 1) / (last - first))
"""


def measure() -> Figure:
    ratios, engine_speeds = asyncio.run(_measure())
    return Figure(
        "http.speed",
        statistics.median(ratios),
        0.85,
        "ratio",
        f"through the engine: {spread(engine_speeds)} tokens/s",
        "at least",
    )


async def _measure() -> tuple[list[float], list[float]]:
    path = find_default_model(Profile.default())
    assert path is not None
    engine = Engine()
    await engine.load(path)
    settings = EndpointSettings(key=KEY, port=0)
    server = EndpointServer(create_app(engine, settings), settings)
    await server.start_async()
    try:
        await _through_engine(engine)  # the first answer pages the weights in
        ratios, speeds = [], []
        for _ in range(N_RUNS):
            speeds.append(await _through_engine(engine))
            ratios.append(await _over_http(server.port) / speeds[-1])
        return ratios, speeds
    finally:
        await server.stop_async()
        await engine.aclose()


async def _through_engine(engine: Engine) -> float:
    stream = engine.submit(ChatRequest((Message("user", QUESTION),), "endpoint", GREEDY, max_tokens=N_TOKENS))
    first = 0.0
    n_tokens = 0
    async for event in stream:
        first = first or time.perf_counter()
        n_tokens = getattr(getattr(event, "usage", None), "n_output", n_tokens)
    return (n_tokens - 1) / (time.perf_counter() - first)


async def _over_http(port: int) -> float:
    body = {
        "model": "any",
        "messages": [{"role": "user", "content": QUESTION}],
        "temperature": 0,
        "max_tokens": N_TOKENS,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    command = [sys.executable, "-c", CLIENT, str(port), KEY, json.dumps(body)]
    done = await asyncio.to_thread(
        subprocess.run, command, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parent
    )
    return float(done.stdout)
