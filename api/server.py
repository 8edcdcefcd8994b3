"""The endpoint's server: uvicorn in this process, on a thread and an event loop of its own.

Its own loop, so that a window that is being resized never stalls a client, and a hundred clients never stall the
window.
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

from api.connections import EndpointConfig, close_idle
from api.deps import activity_of
from api.errors import CannotListen, PortBusy
from api.file_limits import MAX_BACKLOG, connection_limits
from api.settings import EndpointSettings
from engine.redacted_traceback import redacted_traceback

log = logging.getLogger(__name__)

OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
REPORT_INTERVAL_S = 60.0
START_TIMEOUT_S = 10.0
# A lifespan that frees a model waits for the native step under way.
LIFESPAN_TIMEOUT_S = 15.0


class EndpointServer:
    """Serves one app, on and off. `start` and `stop` may be called from any one thread; their async twins from
    any loop, Qt's too, which they do not block."""

    def __init__(self, app: FastAPI, settings: EndpointSettings) -> None:
        self._app = app
        self._settings = settings
        self._thread: threading.Thread | None = None
        self._port = settings.port
        self._stop_on_loop: Callable[[float], None] = _ignore
        self._ended: Future[None] = Future()

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def port(self) -> int:
        """The port that was bound, also where 0 was asked for."""
        return self._port

    @property
    def url(self) -> str:
        """The base URL that tools on this machine are given."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._settings.host, self._settings.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/v1"

    def start(self) -> None:
        """Listens when it returns. Raises PortBusy, CannotListen; does nothing where it runs already."""
        if not self.running:
            self._launch().result(START_TIMEOUT_S)

    async def start_async(self) -> None:
        """As `start`."""
        if not self.running:
            await asyncio.wait_for(asyncio.wrap_future(self._launch()), START_TIMEOUT_S)

    def stop(self, timeout_s: float = 2.0) -> None:
        """Closes the port at once, gives answers under way half of the time to end, tells the others that they
        are stopped, and joins the thread. Does nothing where it does not run. Raises TimeoutError where the
        thread is stuck."""
        thread = self._thread
        if thread is None:
            return
        self._stop_on_loop(timeout_s)
        self._ended.result(timeout_s + LIFESPAN_TIMEOUT_S)
        self._join(thread)

    async def stop_async(self, timeout_s: float = 2.0) -> None:
        """As `stop`."""
        thread = self._thread
        if thread is None:
            return
        self._stop_on_loop(timeout_s)
        await asyncio.wait_for(asyncio.wrap_future(self._ended), timeout_s + LIFESPAN_TIMEOUT_S)
        self._join(thread)

    def _join(self, thread: threading.Thread) -> None:
        thread.join()  # its last statement has been run
        self._thread = None

    def _launch(self) -> Future[None]:
        """Binds, starts the thread; the future is done when it listens."""
        listener = _bind(self._settings.host, self._settings.port)
        self._port = listener.getsockname()[1]
        started: Future[None] = Future()
        self._ended = Future()
        # A daemon, so that a thread that is stuck cannot keep the process alive.
        self._thread = threading.Thread(
            target=self._run, args=(listener, started, self._ended), name="inglenook-endpoint", daemon=True
        )
        self._thread.start()
        return started

    def _run(self, listener: socket.socket, started: Future[None], ended: Future[None]) -> None:
        """The thread. The loop is made by name: the window has set its own as the default."""
        try:
            with listener, asyncio.Runner(loop_factory=_new_loop) as runner:
                runner.run(self._serve(listener, started))
        except BaseException as error:  # SystemExit is uvicorn's way to say that the lifespan failed
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

        def begin_stop(timeout_s: float) -> None:
            # Whatever does not end by itself is first asked to, then torn off by uvicorn.
            server.config.timeout_graceful_shutdown = timeout_s  # type: ignore[assignment]
            loop.call_later(timeout_s / 2, activity_of(self._app).cancel_all)
            server.should_exit = True

        def stop_from_outside(timeout_s: float) -> None:
            with contextlib.suppress(RuntimeError):  # raised where the loop has ended by itself
                loop.call_soon_threadsafe(begin_stop, timeout_s)

        self._stop_on_loop = stop_from_outside
        await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, listening: Future[None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger("uvicorn.error").addFilter(_is_fit_to_log)
        await super().startup(sockets)
        self._listening.set_result(None)


class _AcceptErrors:
    """The loop's handler of exceptions: where no more connections can be accepted, it closes the idle ones, and reports
    that once a minute. asyncio itself tries again after a second, and reports each try for each waiting client."""

    def __init__(self, server: uvicorn.Server) -> None:
        self._server = server
        self._reported_at = self._closed_at = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in OUT_OF_RESOURCES:
            loop.default_exception_handler(context)
            return
        now = loop.time()
        if now - self._closed_at >= 1:
            self._closed_at = now
            close_idle(self._server.server_state.connections)
        if now - self._reported_at >= REPORT_INTERVAL_S:
            self._reported_at = now
            log.warning("no more connections can be accepted: %s", error.strerror)


def _is_fit_to_log(record: logging.LogRecord) -> bool:
    """uvicorn reports a bug of ours with the error's text, which may hold words of a prompt: it is logged here without.
    And it reports each request that a bounded stop tears off as an error, which is none."""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and not isinstance(error, asyncio.CancelledError):
        log.error("a request failed\n%s", redacted_traceback(error))
    return error is None and "timeout graceful shutdown exceeded" not in str(record.msg)


def _new_loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.ProactorEventLoop()
    return asyncio.SelectorEventLoop()


def _ignore(timeout_s: float) -> None:
    pass


def _bind(host: str, port: int) -> socket.socket:
    """A listening socket. uvicorn, left to itself, ends the whole process where the port is busy."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP: else asyncio leaves it to the system to gather small writes, and each first token waits some 40 ms
    # for the client to acknowledge the header.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":
            # There, SO_REUSEADDR would let another program take over the port.
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
