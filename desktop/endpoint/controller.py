"""Starts and stops the endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from PySide6.QtCore import QObject, Signal


class RunningServer(Protocol):
    @property
    def port(self) -> int: ...

    async def stop_async(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EndpointState:
    """Whether the endpoint runs, and on which port. `key` is the API key of the endpoint itself; "" until it is read.
    In the stage "failed", `error` is the reason."""

    stage: Literal["off", "starting", "on", "stopping", "failed"] = "off"
    port: int = 0
    key: str = ""
    error: Exception | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


class EndpointController(QObject):
    """Starts and stops the server of the endpoint. Calls of `turn_on` and `turn_off` run one after the other, in order.

    `serve(port)` starts a server and raises PortTaken if another program uses the port. Event loop thread only."""

    changed = Signal(object)
    """Carries the `EndpointState`."""

    def __init__(
        self, serve: Callable[[int], Awaitable[RunningServer]], read_key: Callable[[], Awaitable[str]], port: int
    ) -> None:
        super().__init__()
        self._serve = serve
        self._read_key = read_key
        self._server: RunningServer | None = None
        self._turn = asyncio.Lock()
        self.state = EndpointState(port=port)

    async def read_key(self) -> None:
        """Read the endpoint's own key into `state`. If there is no key yet, it is created."""
        self._set(key=await self._read_key())

    async def turn_on(self, port: int | None = None) -> None:
        """Serve on `port`; None means the port that was used last. A failure is not raised, but sets the stage
        "failed"."""
        async with self._turn:
            try:
                await self._stop()
                self._set(stage="starting", port=port or self.state.port, error=None)
                self._server = await self._serve(self.state.port)
            except Exception as error:  # catches every exception, because the page shows it
                self._set(stage="failed", error=error)
            else:
                self._set(stage="on", port=self._server.port)

    async def turn_off(self) -> None:
        """Stop the server and set the stage "off". The stage is set even if stopping raises an error."""
        async with self._turn:
            try:
                await self._stop()
            finally:
                self._set(stage="off", error=None)

    async def aclose(self) -> None:
        """Turn the endpoint off. Idempotent."""
        await self.turn_off()

    async def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            self._set(stage="stopping")
            await server.stop_async()

    def _set(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self.changed.emit(self.state)
