"""Starts the servers that are measured: our endpoint in this process, and other servers in processes of their own."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from api.app import create_app
from api.server import EndpointServer
from api.settings import EndpointSettings
from engine.engine import Engine
from tests.bench.engine_run import default_model, running_engine
from tests.bench.http_load import KEY

LLAMA_SERVER = Path(__file__).parents[2] / "build" / "peer" / "llama-server"
START_TIMEOUT_S = 60
N_CTX_PER_STREAM = 1024


@asynccontextmanager
async def ours() -> AsyncIterator[tuple[Engine, EndpointServer]]:
    """Runs an engine whose weights are in memory, and its endpoint."""
    async with running_engine() as engine, served(engine) as endpoint:
        yield engine, endpoint


@asynccontextmanager
async def served(engine: Engine) -> AsyncIterator[EndpointServer]:
    settings = EndpointSettings(key=KEY, port=0)
    endpoint = EndpointServer(create_app(engine, settings), settings)
    await endpoint.start_async()
    try:
        yield endpoint
    finally:
        await endpoint.stop_async()


def find_llama_server() -> str | None:
    """The path of llama-server: the one that `make llama-server` built, otherwise one on PATH. The former is built from
    the same llama.cpp as the engine."""
    return str(LLAMA_SERVER) if LLAMA_SERVER.exists() else shutil.which("llama-server")


def no_llama_server() -> str | None:
    """The reason why llama-server cannot be measured; None if it can."""
    program = find_llama_server()
    if program is None:
        return "no llama-server here: `make llama-server` builds one"
    try:
        starts = subprocess.run([program, "--version"], capture_output=True).returncode == 0
    except OSError:  # the program is built for another machine, or not executable
        starts = False
    return None if starts else f"{_shown(program)} does not start: `make llama-server` builds one that does"


def _shown(program: str) -> str:
    """A description of llama-server for the published table. It contains no absolute path."""
    return "build/peer/llama-server" if program == str(LLAMA_SERVER) else "the llama-server on PATH"


@contextmanager
def llama_server(n_streams: int, n_ctx_each: int = N_CTX_PER_STREAM, options: Sequence[str] = ()) -> Iterator[int]:
    """Runs llama-server with the default model, and yields its port. `options` are further ones of its command line.

    The options are llama-server's defaults, except those that are set here. A shared KV memory (`-kvu`), no prompt
    cache, fewer samplers or smaller batches do not make it faster. It uses at most as many threads as our engine."""
    program = find_llama_server()
    assert program is not None
    port = _free_port()
    context = str(n_streams * n_ctx_each)
    command = [program, "-m", str(default_model()), "-np", str(n_streams), "-c", context, "--port", str(port), *options]
    with _running(command, f"http://127.0.0.1:{port}/health"):
        yield port


def no_llama_cpp_server() -> str | None:
    """The reason why llama_cpp.server cannot be measured; None if it can."""
    needed = ("llama_cpp", "sse_starlette", "starlette_context", "pydantic_settings")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    return f"llama_cpp.server needs {', '.join(missing)}" if missing else None


@contextmanager
def llama_cpp_server(**further: object) -> Iterator[int]:
    """Runs llama_cpp.server with the default model, and yields its port. It serves one request at a time. `further` are
    more of its options.
    `interrupt_requests` is off, so that a new request does not interrupt the running one.
    """
    port = _free_port()
    options = {
        "model": default_model(),
        "n_ctx": 2 * N_CTX_PER_STREAM,
        "port": port,
        "interrupt_requests": False,
        **further,
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with _running([sys.executable, "-m", "llama_cpp.server", *arguments], f"http://127.0.0.1:{port}/v1/models"):
        yield port


@contextmanager
def _running(command: Sequence[str], url: str) -> Iterator[None]:
    peer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_ready(peer, url)
        yield
    finally:
        peer.kill()
        peer.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(peer: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if peer.poll() is not None:
            raise RuntimeError(f"{peer.args!r} ended with {peer.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):  # the server is still loading its model
            time.sleep(0.2)
    raise TimeoutError(f"{peer.args!r} did not come up")
