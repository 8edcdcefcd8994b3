"""A server on a real port whose responses are scripted byte by byte.

Tests give it the shapes of servers that cannot run here (vLLM, SGLang, Ollama, LM Studio), as their documents describe
them, and those of hostile servers."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass
class Received:
    """A request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


Script = Callable[[Received, socket.socket], None]


@dataclass
class ScriptedServer:
    port: int
    routes: dict[str, Script] = field(default_factory=dict)
    """Scripts by path. Other paths are answered with 404."""
    received: list[Received] = field(default_factory=list)
    closed_at: list[float] = field(default_factory=list)
    """Times (`time.monotonic`) at which clients closed connections while a script waited for that."""

    async def has_received(self) -> None:
        """Waits for the first request."""
        await asyncio.to_thread(_wait_for, lambda: bool(self.received))

    async def has_seen_close(self) -> None:
        await asyncio.to_thread(_wait_for, lambda: bool(self.closed_at))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def chat_bodies(self) -> list[Any]:
        return [each.body for each in self.received if each.path == "/v1/chat/completions"]

    def answer_chats(self, script: Script) -> None:
        self.routes["/v1/chat/completions"] = script

    def until_closed(self, connection: socket.socket) -> None:
        """Waits until the client closes the connection, and records the time."""
        connection.settimeout(20)
        with suppress(OSError):
            while connection.recv(65536):
                pass
        self.closed_at.append(time.monotonic())


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "nothing arrived"
        time.sleep(0.005)


@contextmanager
def scripted_server(context: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ScriptedServer(listener.getsockname()[1])
        open_connections: list[socket.socket] = []
        threads: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                open_connections.append(connection)
                thread = threading.Thread(target=_serve, args=(server, connection, context))
                threads.append(thread)
                thread.start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for connection in open_connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


def _serve(server: ScriptedServer, connection: socket.socket, context: ssl.SSLContext | None) -> None:
    with suppress(OSError, ConnectionError), connection:
        secured = connection if context is None else context.wrap_socket(connection, server_side=True)
        with secured, secured.makefile("rb") as reader:
            while (received := _read(reader)) is not None:
                server.received.append(received)
                script = server.routes.get(received.path.partition("?")[0], _not_found)
                script(received, secured)


def _read(reader: Any) -> Received | None:
    line = reader.readline()
    if not line:
        return None
    method, path, _ = line.decode().split(" ", 2)
    headers: dict[str, str] = {}
    while (header := reader.readline().strip()) != b"":
        name, _, value = header.decode().partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    return Received(method, path, headers, json.loads(body) if body else None)


def _not_found(_: Received, connection: socket.socket) -> None:
    connection.sendall(response(b'{"detail":"Not Found"}', 404))


def response(body: bytes, status: int = 200, content_type: str = "application/json", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Answer", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def replies(content: object, status: int = 200, **headers: str) -> Script:
    """Answers with JSON."""
    data = response(json.dumps(content).encode(), status, **headers)
    return lambda _, connection: connection.sendall(data)


def sends(data: bytes) -> Script:
    """Sends bytes and closes the connection."""

    def script(_: Received, connection: socket.socket) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    return script


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(content: object) -> bytes:
    return chunk(b"data: " + json.dumps(content).encode() + b"\n\n")


def text(content: str, **more: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": None, **more}]}


def delta(**fields: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def ending(reason: object = "stop", **more: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason, **more}]}


USAGE = {
    "choices": [],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
}
DONE = chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


def streams(*contents: object, end: bytes = DONE) -> Script:
    """Streams JSON objects as events, then `end`."""
    data = HEAD + b"".join(event(each) for each in contents) + end
    return lambda _, connection: connection.sendall(data)


def in_turn(scripts: Sequence[Script]) -> Script:
    """Runs another script for each request; the last one for all that follow."""
    remaining = list(scripts)

    def script(received: Received, connection: socket.socket) -> None:
        (remaining.pop(0) if len(remaining) > 1 else remaining[0])(received, connection)

    return script
