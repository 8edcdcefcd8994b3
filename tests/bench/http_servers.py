"""The servers that are measured: ours in this process, others in processes of their own."""

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
from tests.bench.http_asking import KEY
from tests.bench.rig import default_model, engine

LLAMA_SERVER = Path(__file__).parents[2] / "build" / "peer" / "llama-server"
PATIENCE_S = 60
N_CTX_EACH = 1024


@asynccontextmanager
async def ours() -> AsyncIterator[tuple[Engine, EndpointServer]]:
    """With the weights paged in."""
    async with engine() as made, served(made) as endpoint:
        yield made, endpoint


@asynccontextmanager
async def served(made: Engine) -> AsyncIterator[EndpointServer]:
    settings = EndpointSettings(key=KEY, port=0)
    endpoint = EndpointServer(create_app(made, settings), settings)
    await endpoint.start_async()
    try:
        yield endpoint
    finally:
        await endpoint.stop_async()


def find_llama_server() -> str | None:
    """The one that `make llama-server` built, of the engine's own llama.cpp, else one on PATH."""
    return str(LLAMA_SERVER) if LLAMA_SERVER.exists() else shutil.which("llama-server")


def no_llama_server() -> str | None:
    """Why it cannot be measured, or None."""
    program = find_llama_server()
    if program is None:
        return "no llama-server here: `make llama-server` builds one"
    try:
        starts = subprocess.run([program, "--version"], capture_output=True).returncode == 0
    except OSError:  # it is for another machine, or may not be run
        starts = False
    return None if starts else f"{_shown(program)} does not start: `make llama-server` builds one that does"


def _shown(program: str) -> str:
    """Without the machine's own folders: reasons are kept in the table of figures."""
    return "build/peer/llama-server" if program == str(LLAMA_SERVER) else "the llama-server on PATH"


@contextmanager
def llama_server(n_streams: int) -> Iterator[int]:
    """Its port. What is not said here stays as it comes, which is its best: KV memory of its own for each stream takes
    less time than one that all share (`-kvu`), and neither a prompt cache turned off, nor fewer samplers, nor smaller
    batches make it faster. Threads are as many as ours at most."""
    program = find_llama_server()
    assert program is not None
    port = _free_port()
    context = str(n_streams * N_CTX_EACH)
    command = [program, "-m", str(default_model()), "-np", str(n_streams), "-c", context, "--port", str(port)]
    with _running(command, f"http://127.0.0.1:{port}/health"):
        yield port


def no_llama_cpp_server() -> str | None:
    """Why it cannot be measured, or None."""
    needed = ("llama_cpp", "sse_starlette", "starlette_context", "pydantic_settings")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    return f"llama_cpp.server needs {', '.join(missing)}" if missing else None


@contextmanager
def llama_cpp_server() -> Iterator[int]:
    """Its port. It answers one request after another; without `interrupt_requests` a new one does not cut the other."""
    port = _free_port()
    options = {"model": default_model(), "n_ctx": 2 * N_CTX_EACH, "port": port, "interrupt_requests": False}
    told = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with _running([sys.executable, "-m", "llama_cpp.server", *told], f"http://127.0.0.1:{port}/v1/models"):
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
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if peer.poll() is not None:
            raise RuntimeError(f"{peer.args!r} ended with {peer.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):  # it is still loading
            time.sleep(0.2)
    raise TimeoutError(f"{peer.args!r} did not come up")
