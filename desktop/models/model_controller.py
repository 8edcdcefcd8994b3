"""The one model of this process, as the window sees it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.backend import LoadSettings
from engine.errors import EngineClosed, EngineError, NotLoaded
from engine.redacted_traceback import redacted_traceback
from engine.status import Status

if TYPE_CHECKING:
    from engine.engine import Engine

log = logging.getLogger(__name__)


class ModelController(QObject):
    """Makes the engine, loads a model into it, says where it stands, and frees it. Loop's thread only.

    `make_engine` is called once, on a pool thread, because its imports take long."""

    status_changed = Signal(object)

    def __init__(self, make_engine: Callable[[], Engine]) -> None:
        super().__init__()
        self._make_engine = make_engine
        self._making = asyncio.Lock()
        self._engine: Engine | None = None
        self._end_watch: Callable[[], None] | None = None
        self._changed = asyncio.Event()
        self._closed = False
        self._path: Path | None = None
        self.settings_of: Callable[[Path], LoadSettings] = lambda path: LoadSettings()
        """How the person wants this file to be loaded."""
        self.status = Status("loading")  # until `load` or `none_found`, so that what is sent meanwhile waits

    def none_found(self) -> None:
        """There is no model to load at the start."""
        self._set(Status("empty"))

    async def load(self, path: Path) -> bool:
        """Puts this model in the place of the one in memory. False where it failed; `status.error` then says why."""
        self._path = path
        self._set(Status("loading"))
        try:
            engine = await self.engine()
            await engine.load(path, self.settings_of(path))
        except EngineError as error:
            if self.status.error is None:
                self._set(Status("empty", error=error))
            return False
        except Exception as error:  # a bug of ours: "loading" must not stay, since answers wait for its end
            log.error("loading a model failed\n%s", redacted_traceback(error))
            self._set(Status("empty", error=EngineError(f"{type(error).__name__}: {error}")))
            return False
        return True

    async def reload(self) -> bool:
        """Loads the last file once more, after a failure."""
        return self._path is not None and await self.load(self._path)

    def cancel_load(self) -> None:
        """Ends a load that is under way; the status then says so. Nothing where there is none."""
        if self._engine is not None and self.status.state == "loading":
            self._engine.cancel_load()

    async def unload(self) -> None:
        """Frees the model's memory; the engine stays, and waits for another."""
        if self._engine is not None:
            await self._engine.unload()

    @property
    def path(self) -> Path | None:
        """The file that is loaded, or was to be loaded last."""
        return self._path

    async def engine(self) -> Engine:
        """The engine, made now if need be, with or without a model. Raises EngineClosed."""
        async with self._making:
            if self._closed:
                raise EngineClosed
            if self._engine is None:
                loop = asyncio.get_running_loop()
                self._engine = await asyncio.shield(loop.run_in_executor(None, self._make_engine))
                self._end_watch = self._engine.watch(self._heard)
            return self._engine

    async def ready(self) -> Engine:
        """The engine, once a model is in memory. Raises what keeps it from being there."""
        while self.status.state == "loading":
            await self._changed.wait()
        if self.status.state == "ready" and self._engine is not None:
            return self._engine
        raise self.status.error or NotLoaded()

    async def aclose(self) -> None:
        """Frees the model and ends the native thread. Idempotent."""
        self._closed = True
        if self._engine is not None:
            self._engine.cancel_load()
        async with self._making:
            engine, self._engine = self._engine, None
        if engine is not None:
            await engine.aclose()
        if self._end_watch is not None:
            self._end_watch()
        self._set(Status("closed"))

    def _heard(self, status: Status) -> None:
        if status.state == "empty" and status.error is None and self.status.state == "loading":
            return  # the engine was just made: our own load is on its way to it
        self._set(status)

    def _set(self, status: Status) -> None:
        self.status = status
        self._changed.set()
        self._changed = asyncio.Event()
        self.status_changed.emit(status)
