"""Limits the number of connections, and the time that a client may take to send a header or to read an answer.

These limits need a subclass of uvicorn's protocol. uvicorn has no timeout for a request's header or for a client that
stops reading. At its connection limit it refuses new connections instead of closing idle ones.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from api.error_bodies import Problem, openai_body, problem_of
from api.errors import BadRequest, TooManyConnections
from api.settings import EndpointSettings
from api.streaming import WRITE_BODY

RESERVED_FILES = 64
"""Number of open files that are reserved for models, chats, keys and logs."""
MAX_BACKLOG = 128
MIN_CONNECTIONS = 8
"""Lower bound of the connection limit. It applies even if the process may open fewer files."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """`n_connections`: maximum number of open connections. `backlog`: how many further connections the event loop may
    accept in one turn. These are refused at once."""

    n_connections: int
    backlog: int


def connection_limits(wanted: int) -> ConnectionLimits:
    """Returns limits for `wanted` connections, or for fewer if the process may open few files (RLIMIT_NOFILE)."""
    free = _free_files()
    if free is None:
        return ConnectionLimits(wanted, MAX_BACKLOG)
    usable = max(free - RESERVED_FILES, 2 * MIN_CONNECTIONS)
    backlog = min(MAX_BACKLOG, max(usable // 4, MIN_CONNECTIONS))
    return ConnectionLimits(min(wanted, usable - backlog), backlog)


def _free_files() -> int | None:
    """How many more files the process can open; None if there is no limit."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return None
    return limit - sum(1 for _ in Path("/dev/fd").iterdir())


class EndpointConfig(uvicorn.Config):
    """uvicorn's configuration, together with the settings that `EndpointProtocol` reads."""

    def __init__(self, app: ASGIApp, settings: EndpointSettings, backlog: int) -> None:
        super().__init__(
            app,
            http=EndpointProtocol,
            ws="none",
            lifespan="on",
            interface="asgi3",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=backlog,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
            timeout_keep_alive=round(settings.idle_timeout_s),
        )
        self.settings = settings


class EndpointProtocol(H11Protocol):
    """The protocol of one client connection. Used on the endpoint's event loop only."""

    def __init__(
        self,
        config: EndpointConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._settings = config.settings
        self._app: ASGIApp = self.app
        self.app = self._run_app
        self._receive_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._idle_since = self.loop.time()

    @property
    def is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._update_receive_timer()
        if len(self.connections) > self._settings.max_connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_receive_timer()
        self.resume_writing()
        super().connection_lost(exc)

    async def _run_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "extensions": {WRITE_BODY: self._write_body}}, receive, send)

    def _write_body(self, data: bytes) -> bool:
        """The extension WRITE_BODY, see `api.streaming`. It bypasses the ASGI calls and h11's state machine, which take
        longer than encoding an event."""
        if self.flow.write_paused or self.conn.our_state is not h11.SEND_BODY:
            return False
        if not self.cycle.disconnected:
            # Responses without a content length are chunked, except for HTTP/1.0 clients.
            is_chunked = self.conn.their_http_version != b"1.0"
            self.transport.write(b"%x\r\n%b\r\n" % (len(data), data) if is_chunked else data)
        return True

    def _make_room(self) -> None:
        """Closes the connection that has been idle longest, so that silent clients do not block others.

        If no connection is idle, the new one is refused."""
        idle = [other for other in _idle(self.connections) if other is not self]
        if idle:
            min(idle, key=lambda other: other._idle_since).transport.abort()
        else:
            self._refuse(problem_of(TooManyConnections()))

    def shutdown(self) -> None:
        """Called by uvicorn when it stops. Aborts this connection if the server is waiting for the client to send or to
        read."""
        waits_for_client = self.flow.write_paused or (self.is_answering and self.cycle.more_body)
        if waits_for_client or self.transport.is_closing():
            self.transport.abort()
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._update_receive_timer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._idle_since = self.loop.time()
        if self.conn.their_state is h11.SEND_BODY:
            # The rest of a refused body is received and dropped, so that the client can read the answer.
            self._update_receive_timer()

    def _update_receive_timer(self) -> None:
        """Starts or stops the receive timer, which runs while a header or the rest of a refused body is incomplete.

        The time for the body of a request in progress is limited by `api.body_limits`."""
        incomplete = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if self.is_answering or not incomplete or self.transport.is_closing():
            self._stop_receive_timer()
        elif self._receive_timer is None:
            self._receive_timer = self.loop.call_later(self._settings.header_timeout_s, self.transport.abort)

    def _stop_receive_timer(self) -> None:
        if self._receive_timer is not None:
            self._receive_timer.cancel()
            self._receive_timer = None

    def pause_writing(self) -> None:
        """Called by asyncio when the send buffer is full because the client does not read."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._settings.write_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            if self.cycle is not None:
                self.cycle.disconnected = True  # the request with the malformed body gets no second answer
            self._refuse(problem_of(BadRequest("This is not a valid HTTP request.")))
        else:
            self.transport.abort()

    def _refuse(self, problem: Problem) -> None:
        """Sends an error response that belongs to no request, and closes the connection."""
        body = json.dumps(openai_body(problem)).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        if problem.retry_after_s is not None:
            headers.append((b"retry-after", str(problem.retry_after_s).encode()))
        for event in (
            h11.Response(status_code=problem.status, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def close_idle(connections: Iterable[object]) -> None:
    """Closes all connections that have no request in progress."""
    for each in _idle(connections):
        each.transport.abort()


def _idle(connections: Iterable[object]) -> list[EndpointProtocol]:
    return [
        each
        for each in connections
        if isinstance(each, EndpointProtocol) and not each.is_answering and not each.transport.is_closing()
    ]
