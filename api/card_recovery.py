"""Loads the model of a server without a window again after its graphics card was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from engine.backend import LoadSettings
from engine.errors import CardLost
from engine.status import Status


class CardRecovery:
    """Used on one event loop."""

    def __init__(self, load: Callable[[Path, LoadSettings], Awaitable[None]], settings: LoadSettings) -> None:
        """`load` loads a model; it raises no error of a load. `settings` are those of the first load. After a second
        loss the processor computes the model."""
        self._load, self._settings = load, settings
        self._n_losses = 0
        self._last_loss: CardLost | None = None
        self._path: Path | None = None
        self._task: asyncio.Task[None] | None = None

    def status_changed(self, status: Status) -> None:
        """A listener for `Engine.watch`."""
        if status.model is not None:
            self._path = status.model.path
        error = status.error
        if status.state == "dead" and isinstance(error, CardLost) and self._path is not None:
            if error is self._last_loss:  # something else in the status has changed
                return
            self._last_loss = error
            self._n_losses += 1
            settings = self._settings if self._n_losses == 1 else replace(self._settings, devices=())
            reload = self._reload(self._path, settings, self._task)
            self._task = asyncio.create_task(reload, name="load the model again")

    async def aclose(self) -> None:
        """Waits for a load in progress. End the watch and cancel the load before."""
        if self._task is not None:
            await self._task

    async def _reload(self, path: Path, settings: LoadSettings, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        await self._load(path, settings)
