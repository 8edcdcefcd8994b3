"""Runs `GraphicsCards` beside loads: on a pool thread and on the native thread, never on an event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from engine.backend import LoadSettings
from engine.devices.backend_state import BackendState
from engine.devices.graphics_cards import GraphicsCards
from engine.redacted_traceback import redacted_traceback
from engine.status import StatusPublisher

log = logging.getLogger(__name__)

WAIT_S = 3.0
"""A load waits at most this long for the cards. Trying a driver for the first time may take longer; then the model is
loaded without cards, and those that are found later are used from the next load on."""


class CardFinder:
    """Finds the cards and publishes the result in the status. Used on the event loop that owns the engine."""

    def __init__(
        self,
        graphics: GraphicsCards | None,
        call_on_native_thread: Callable[[Callable[[], tuple[BackendState, ...]]], Future[tuple[BackendState, ...]]],
        status: StatusPublisher,
    ) -> None:
        self._graphics, self._call, self._status = graphics, call_on_native_thread, status
        self._first: asyncio.Task[tuple[BackendState, ...]] | None = None
        self._lock = asyncio.Lock()

    def begin(self) -> None:
        """Begins the first search, unless there was one. Returns at once."""
        if self._first is None and self._graphics is not None:
            self._first = asyncio.create_task(self._search(), name="find graphics cards")

    async def prepare_load(self, settings: LoadSettings) -> None:
        """Waits a moment for the first search, and records that the next load may use all cards."""
        if self._first is not None:
            await asyncio.wait([self._first], timeout=WAIT_S)
        await self.set_in_use(() if settings.devices == () or settings.n_gpu_layers == 0 else None)

    async def find(self, again: bool) -> tuple[BackendState, ...]:
        """Searches now, and returns the state of each library."""
        if self._graphics is None:
            return ()
        async with self._lock:
            graphics = self._graphics
            probed = await asyncio.to_thread(graphics.probe, again)
            backends = await asyncio.wrap_future(self._call(lambda: graphics.load(probed))) if probed else ()
            self._status.publish_backends(backends)
            return backends

    async def set_in_use(self, device_ids: Iterable[str] | None) -> None:
        """See `GraphicsCards.set_in_use`."""
        if self._graphics is not None and self._status.status.backends:
            await asyncio.to_thread(self._graphics.set_in_use, device_ids)

    def first_step_passed(self) -> None:
        """See `GraphicsCards.first_step_passed`. Called on the native thread."""
        if self._graphics is not None and self._status.status.backends:
            self._graphics.first_step_passed()

    def stop(self) -> None:
        """Ends a search in progress. Returns at once."""
        if self._first is not None:
            self._first.cancel()
        if self._graphics is not None:
            self._graphics.stop()

    async def _search(self) -> tuple[BackendState, ...]:
        try:
            return await self.find(again=False)
        except Exception as error:  # graphics cards must never keep a model from loading
            log.error("looking for graphics cards failed\n%s", redacted_traceback(error))
            return ()
