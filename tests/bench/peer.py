"""`engine.vs_llama_server`: eight streams over HTTP, ours ÷ llama-server's, where one is found on PATH. Greedy, the
same requests by the same client in a process of its own, in turn."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

from api.app import create_app
from api.server import EndpointServer
from api.settings import EndpointSettings
from tests.bench.figure import Figure, Result, Skipped, spread
from tests.bench.rig import default_model, engine

NAME = "engine.vs_llama_server"
N_STREAMS, N_TOKENS, N_ROUNDS = 8, 64, 8
KEY = "ink-bench"
PATIENCE_S = 60

CLIENT = """
import http.client, json, sys, threading, time
port, key, bodies = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
counts = []
def ask(body):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    for line in connection.getresponse():
        if line.startswith(b"data: {"):
            usage = json.loads(line[6:]).get("usage")
            if usage:
                counts.append(usage["completion_tokens"])
threads = [threading.Thread(target=ask, args=(body,)) for body in bodies]
started = time.perf_counter()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(counts) == len(bodies), counts
print(sum(counts) / (time.perf_counter() - started))
"""


def measure() -> Result:
    server = shutil.which("llama-server")
    if server is None:
        return Skipped(NAME, "no llama-server on PATH")
    port = _free_port()
    context = str(N_STREAMS * 1024)
    command = [server, "-m", str(default_model()), "-np", str(N_STREAMS), "-c", context, "--port", str(port)]
    peer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_ready(port)
        ratios, speeds = asyncio.run(_measure(port))
    finally:
        peer.kill()
        peer.wait()
    against = f"llama-server -np {N_STREAMS}, from request to end: {spread(speeds)} tokens/s"
    return Figure(NAME, statistics.median(ratios), 1.0, "ratio", against, "at least")


async def _measure(peer_port: int) -> tuple[list[float], list[float]]:
    settings = EndpointSettings(key=KEY, port=0)
    async with engine() as made:
        endpoint = EndpointServer(create_app(made, settings), settings)
        await endpoint.start_async()
        try:
            return await _rounds(endpoint.port, peer_port)
        finally:
            await endpoint.stop_async()


async def _rounds(our_port: int, peer_port: int) -> tuple[list[float], list[float]]:
    ratios, speeds = [], []
    for _ in range(N_ROUNDS + 1):
        speeds.append(await _tokens_per_s(peer_port))
        ratios.append(await _tokens_per_s(our_port) / speeds[-1])
    return ratios[1:], speeds[1:]  # the first pages weights in and reads the prompts, which both keep


async def _tokens_per_s(port: int) -> float:
    bodies = [
        {
            "model": "any",
            "messages": [{"role": "user", "content": f"Tell me a long story about number {i}."}],
            "temperature": 0,
            "max_tokens": N_TOKENS,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        for i in range(N_STREAMS)
    ]
    command = [sys.executable, "-c", CLIENT, str(port), KEY, json.dumps(bodies)]
    done = await asyncio.to_thread(subprocess.run, command, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):  # it is still loading
            time.sleep(0.2)
    raise TimeoutError("llama-server did not come up")
