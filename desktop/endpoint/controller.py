"""The switch of the endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from PySide6.QtCore import QObject, Signal


class Server(Protocol):
    """The endpoint's server, running."""

    @property
    def port(self) -> int: ...

    async def stop_async(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EndpointState:
    """`key` is "" until it was read once. `error` belongs to "failed"."""

    stage: Literal["off", "starting", "on", "stopping", "failed"] = "off"
    port: int = 0
    key: str = ""
    error: Exception | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


class EndpointController(QObject):
    """Starts and stops the endpoint, one wish after the other; the last wish wins. Loop's thread only.

    `serve(port)` starts a server and raises PortTaken where another program has the port."""

    changed = Signal(object)

    def __init__(
        self, serve: Callable[[int], Awaitable[Server]], read_key: Callable[[], Awaitable[str]], port: int
    ) -> None:
        super().__init__()
        self._serve = serve
        self._read_key = read_key
        self._server: Server | None = None
        self._turn = asyncio.Lock()
        self.state = EndpointState(port=port)

    async def read_key(self) -> None:
        """Fills in the key, making one if there is none yet."""
        self._set(key=await self._read_key())

    async def turn_on(self, port: int | None = None) -> None:
        """Serves on `port`, or where it served last. A failure is a state, nothing is raised."""
        async with self._turn:
            try:
                await self._stop()
                self._set(stage="starting", port=port or self.state.port, error=None)
                self._server = await self._serve(self.state.port)
            except Exception as error:  # whatever keeps it from starting is shown on its page
                self._set(stage="failed", error=error)
            else:
                self._set(stage="on", port=self._server.port)

    async def turn_off(self) -> None:
        """Raises what keeps the server from ending; the switch is off then all the same."""
        async with self._turn:
            try:
                await self._stop()
            finally:
                self._set(stage="off", error=None)

    async def aclose(self) -> None:
        """Ends the server if it runs. Idempotent."""
        await self.turn_off()

    async def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            self._set(stage="stopping")
            await server.stop_async()

    def _set(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self.changed.emit(self.state)
