"""Loads the model of a server without a window again after its graphics card was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from engine.backend import LoadSettings
from engine.errors import CardLost
from engine.status import Status


class CardRecovery:
    """Used on one event loop."""

    def __init__(self, load: Callable[[LoadSettings], Awaitable[None]], settings: LoadSettings) -> None:
        """`load` loads the model; it raises no error of a load. `settings` are those of the first load. After a second
        loss the processor computes the model."""
        self._load, self._settings = load, settings
        self._n_losses = 0
        self._task: asyncio.Task[None] | None = None

    def status_changed(self, status: Status) -> None:
        """A listener for `Engine.watch`."""
        if status.state == "dead" and isinstance(status.error, CardLost):
            self._n_losses += 1
            settings = self._settings if self._n_losses == 1 else replace(self._settings, devices=())
            self._task = asyncio.create_task(self._reload(settings, self._task), name="load the model again")

    async def aclose(self) -> None:
        """Waits for a load in progress. End the watch and cancel the load before."""
        if self._task is not None:
            await self._task

    async def _reload(self, settings: LoadSettings, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        await self._load(settings)
