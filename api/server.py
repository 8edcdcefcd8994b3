"""Runs uvicorn in this process, on its own thread and event loop.

So a busy window does not delay clients, and many clients do not delay the window.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import uvicorn
from fastapi import FastAPI

from api.connections import MAX_BACKLOG, EndpointConfig, close_idle, connection_limits
from api.errors import CannotListen, PortBusy
from api.request_context import activity_of
from api.settings import EndpointSettings
from engine.redacted_traceback import redacted_traceback

log = logging.getLogger(__name__)

OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
LOG_INTERVAL_S = 60.0
START_TIMEOUT_S = 10.0
LIFESPAN_TIMEOUT_S = 15.0
"""Additional time for the lifespan to end. If the lifespan frees a model, it waits for the decode step that is
running."""


class EndpointServer:
    """Serves one app; can be started and stopped repeatedly.

    `start` and `stop` block and may be called on any thread, though not on several at once; `start_async` and
    `stop_async` do the same on any event loop without blocking it."""

    def __init__(self, app: FastAPI, settings: EndpointSettings) -> None:
        self._app = app
        self._settings = settings
        self._thread: threading.Thread | None = None
        self._port = settings.port
        self._begin_stop: Callable[[float], None] = lambda timeout_s: None
        self._ended: Future[None] = Future()

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def port(self) -> int:
        """The port to which the server is bound. If the port in the settings is 0, the system chooses the port."""
        return self._port

    @property
    def url(self) -> str:
        """The base URL for clients on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._settings.host, self._settings.host)
        scheme = "https" if self._settings.tls_cert is not None else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/v1"

    def start(self) -> None:
        """Starts the server, and returns when it listens. Does nothing if it already runs. Raises PortBusy,
        CannotListen."""
        if not self.running:
            self._launch().result(START_TIMEOUT_S)

    async def start_async(self) -> None:
        """Same as `start`, without blocking the running event loop."""
        if not self.running:
            await asyncio.wait_for(asyncio.wrap_future(self._launch()), START_TIMEOUT_S)

    def stop(self, timeout_s: float = 2.0) -> None:
        """Closes the port at once, and waits for answers in progress. Does nothing if the server does not run.

        When half of `timeout_s` has passed, the remaining answers are cancelled with an error. When all of it has
        passed, their connections are closed. Raises TimeoutError if the thread does not end."""
        thread = self._thread
        if thread is None:
            return
        self._begin_stop(timeout_s)
        self._ended.result(timeout_s + LIFESPAN_TIMEOUT_S)
        self._join(thread)

    async def stop_async(self, timeout_s: float = 2.0) -> None:
        """Same as `stop`, without blocking the running event loop."""
        thread = self._thread
        if thread is None:
            return
        self._begin_stop(timeout_s)
        await asyncio.wait_for(asyncio.wrap_future(self._ended), timeout_s + LIFESPAN_TIMEOUT_S)
        self._join(thread)

    def _join(self, thread: threading.Thread) -> None:
        thread.join()  # does not block: the thread sets `_ended` in its last statement
        self._thread = None

    def _launch(self) -> Future[None]:
        """Binds the port and starts the thread. The returned future is done when the server listens."""
        listener = _bind(self._settings.host, self._settings.port)
        self._port = listener.getsockname()[1]
        started: Future[None] = Future()
        self._ended = Future()
        # The thread is a daemon, so that it cannot keep the process alive if it is stuck.
        self._thread = threading.Thread(
            target=self._run, args=(listener, started, self._ended), name="inglenook-endpoint", daemon=True
        )
        self._thread.start()
        return started

    def _run(self, listener: socket.socket, started: Future[None], ended: Future[None]) -> None:
        """Runs the server on its own thread. The class of the event loop is given explicitly, because the default may
        be the window's Qt loop."""
        try:
            with listener, asyncio.Runner(loop_factory=_new_loop) as runner:
                runner.run(self._serve(listener, started))
        except BaseException as error:  # uvicorn raises SystemExit if the lifespan fails
            if started.done():
                raise
            log.error("the endpoint did not start\n%s", redacted_traceback(error))
            failure = CannotListen(self._settings.host, self._port, "the start-up failed")
            failure.__cause__ = error
            started.set_exception(failure)
        finally:
            ended.set_result(None)

    async def _serve(self, listener: socket.socket, started: Future[None]) -> None:
        loop = asyncio.get_running_loop()
        limits = connection_limits(self._settings.max_connections)
        settings = replace(self._settings, max_connections=limits.n_connections)
        server = _Server(EndpointConfig(self._app, settings, limits.backlog), started)
        loop.set_exception_handler(_AcceptErrors(server))

        def stop(timeout_s: float) -> None:
            server.config.timeout_graceful_shutdown = timeout_s  # type: ignore[assignment]
            loop.call_later(timeout_s / 2, activity_of(self._app).cancel_all)
            server.should_exit = True

        def begin_stop(timeout_s: float) -> None:
            with contextlib.suppress(RuntimeError):  # the event loop may have ended already
                loop.call_soon_threadsafe(stop, timeout_s)

        self._begin_stop = begin_stop
        await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """A uvicorn server that sets `listening` once the lifespan has started and connections are accepted.

    uvicorn has no callback for this. Polling `Server.started` would delay each start by up to one interval, and could
    not distinguish a failed lifespan from a slow one."""

    def __init__(self, config: uvicorn.Config, listening: Future[None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger("uvicorn.error").addFilter(_can_be_logged)
        await super().startup(sockets)
        self._listening.set_result(None)


class _AcceptErrors:
    """The event loop's exception handler.

    When the process has no files or memory left for further connections, the handler closes idle connections, and logs
    that at most once a minute. asyncio by itself retries every second, and logs each attempt for each waiting
    client."""

    def __init__(self, server: uvicorn.Server) -> None:
        self._server = server
        self._logged_at = self._closed_at = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in OUT_OF_RESOURCES:
            loop.default_exception_handler(context)
            return
        now = loop.time()
        if now - self._closed_at >= 1:
            self._closed_at = now
            close_idle(self._server.server_state.connections)
        if now - self._logged_at >= LOG_INTERVAL_S:
            self._logged_at = now
            log.warning("cannot accept more connections: %s", error.strerror)


def _can_be_logged(record: logging.LogRecord) -> bool:
    """Filters uvicorn's log records.

    An exception's message may contain text of a prompt, so only the exception's traceback is logged, without the
    message. Records of `uvicorn.Server.shutdown` about requests that a stop cancels are dropped, because these are not
    errors."""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and not isinstance(error, asyncio.CancelledError):
        log.error("a request failed\n%s", redacted_traceback(error))
    return error is None and record.funcName != uvicorn.Server.shutdown.__name__


def _new_loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.ProactorEventLoop()
    return asyncio.SelectorEventLoop()


def _bind(host: str, port: int) -> socket.socket:
    """Returns a listening socket. Raises PortBusy, CannotListen; uvicorn's own binding would exit the process
    instead."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With IPPROTO_TCP, asyncio sets TCP_NODELAY. Without that, the first token of each answer waits about 40 ms until
    # the client has acknowledged the header.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":
            # SO_REUSEADDR would let another program take over the port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(MAX_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortBusy(host, port) from error
        raise CannotListen(host, port, error.strerror or str(error)) from error
    return listener
