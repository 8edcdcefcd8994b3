"""One connection to the endpoint, bounded in time: uvicorn itself waits for ever for a header or a reader.

Also: when there are too many connections, the one that has idled longest makes room, so that a crowd of silent
clients keeps nobody out.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from api.errors import BadRequest, Problem, TooManyConnections, openai_body, problem_of
from api.settings import EndpointSettings


class EndpointConfig(uvicorn.Config):
    """uvicorn's configuration, with what `EndpointProtocol` needs to know besides."""

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
            timeout_keep_alive=round(settings.idle_timeout_s),
        )
        self.settings = settings


class EndpointProtocol(H11Protocol):
    """Runs on the endpoint's loop only."""

    def __init__(
        self,
        config: EndpointConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._settings = config.settings
        self._arrival: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._idle_since = self.loop.time()

    @property
    def is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # Opening and closing

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch_arrival()
        if len(self.connections) > self._settings.max_connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_arrival_watch()
        self.resume_writing()
        super().connection_lost(exc)

    def _make_room(self) -> None:
        idle = [other for other in _idle(self.connections) if other is not self]
        if idle:
            min(idle, key=lambda other: other._idle_since).transport.abort()
        else:
            self._refuse(problem_of(TooManyConnections()))

    def shutdown(self) -> None:
        """Called by uvicorn when it stops: a client that keeps us waiting is not waited for."""
        waits_for_client = self.flow.write_paused or (self.is_answering and self.cycle.more_body)
        if waits_for_client or self.transport.is_closing():
            self.transport.abort()
        else:
            super().shutdown()

    # A request must arrive in time

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_arrival()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._idle_since = self.loop.time()
        if self.conn.their_state is h11.SEND_BODY:
            # The rest of a body that was refused: read and dropped, so that the client sees the answer.
            self._watch_arrival()

    def _watch_arrival(self) -> None:
        """While a header, or the rest of a refused body, is missing, the clock runs. The body of a request that is
        being answered has its own limit, in `api.security`."""
        missing = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if self.is_answering or not missing or self.transport.is_closing():
            self._stop_arrival_watch()
        elif self._arrival is None:
            self._arrival = self.loop.call_later(self._settings.header_timeout_s, self.transport.abort)

    def _stop_arrival_watch(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    # A client must read what it asked for

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall = self.loop.call_later(self._settings.write_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    # What is no HTTP

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            if self.cycle is not None:
                self.cycle.disconnected = True  # the request whose body is broken is not answered twice
            self._refuse(problem_of(BadRequest("This is not a valid HTTP request.")))
        else:
            self.transport.abort()

    def _refuse(self, problem: Problem) -> None:
        """Answers before any request was understood, and closes."""
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
    """Those on which nothing is being answered."""
    for each in _idle(connections):
        each.transport.abort()


def _idle(connections: Iterable[object]) -> list[EndpointProtocol]:
    return [
        each
        for each in connections
        if isinstance(each, EndpointProtocol) and not each.is_answering and not each.transport.is_closing()
    ]
