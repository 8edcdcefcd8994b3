"""An endpoint on a real port with the real engine and the fake backend, and clients for it, including raw sockets."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from openai import OpenAI

from api.__main__ import loading
from api.app import create_app
from api.request_context import activity_of
from api.server import EndpointServer
from api.settings import EndpointSettings
from engine.engine import Engine
from tests.fakes import FakeOpener, Script

KEY = "ink-only-for-tests"


@dataclass
class Live:
    server: EndpointServer
    engine: Engine
    opener: FakeOpener
    app: Any
    failures: list[Exception] = field(default_factory=list)

    @property
    def script(self) -> Script:
        return self.opener.script

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def n_in_progress(self) -> int:
        return len(activity_of(self.app))

    def http(self, **headers: str) -> httpx.Client:
        """An HTTP client that sends the key."""
        return httpx.Client(
            base_url=self.root, headers={"authorization": f"Bearer {KEY}", **headers}, trust_env=False, timeout=20
        )

    def openai(self) -> OpenAI:
        return OpenAI(base_url=self.server.url, api_key=KEY, max_retries=0, timeout=20)

    def post(self, body: object, path: str = "/v1/chat/completions") -> httpx.Response:
        with self.http() as client:
            return client.post(path, json=body)

    def socket(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=20)

    def chat_head(self, length: int, extra: str = "") -> bytes:
        """Returns the header of a chat request, for a raw socket."""
        return (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{self.server.port}\r\n"
            f"Authorization: Bearer {KEY}\r\nContent-Type: application/json\r\n{extra}Content-Length: {length}\r\n\r\n"
        ).encode()

    def raw_chat(self, body: object, extra: str = "") -> bytes:
        content = json.dumps(body).encode()
        return self.chat_head(len(content), extra) + content

    def raw(self, request: bytes) -> bytes:
        """Sends bytes, and returns what the server sends until it closes the connection."""
        with self.socket() as connection:
            connection.sendall(request)
            return read_all(connection)


def ask(text: str = "Hello", **fields: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}], **fields}


def read_all(connection: socket.socket) -> bytes:
    received = bytearray()
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return bytes(received)


def wait_until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def settings(**changes: Any) -> EndpointSettings:
    return EndpointSettings(**{"key": KEY, "port": 0, **changes})


@contextmanager
def live(
    opener: FakeOpener | None = None, *, ready: bool = True, reranker: Path | None = None, **changes: Any
) -> Iterator[Live]:
    """Runs an endpoint until the `with` block ends. `ready`: wait until the model is loaded. `reranker` is loaded after
    the model."""
    opener = opener or FakeOpener(Script(b"Hello there."))
    failures: list[Exception] = []
    engine = Engine(opener)
    chosen = settings(**changes)
    model = Path("/secret/place/fake.gguf")
    app = create_app(engine, chosen, lifespan=loading(model, failures.append, chosen.load_settings, reranker))
    server = EndpointServer(app, chosen)
    server.start()
    try:
        if ready:
            wait_until(lambda: engine.status.state == "ready")
        yield Live(server, engine, opener, app, failures)
    finally:
        server.stop()


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """Returns the path and the method of every route."""
    found = set()
    for route in iter_route_contexts(app.routes):
        assert route.path, route
        assert route.methods, "a route without methods, such as a websocket's, needs a test of its own"
        found |= {(route.path, method) for method in route.methods}
    return found
