"""Creates the engine, and loads and unloads its model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
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
    """Owns the engine of the process. Event loop thread only.

    `make_engine` is called once, on a pool thread, because its imports take long."""

    status_changed = Signal(object)
    """Carries the `Status`."""

    def __init__(self, make_engine: Callable[[], Engine]) -> None:
        super().__init__()
        self._make_engine = make_engine
        self._making = asyncio.Lock()
        self._engine: Engine | None = None
        self._end_watch: Callable[[], None] | None = None
        self._changed = asyncio.Event()
        self._closed = False
        self._path: Path | None = None
        self.load_settings_for: Callable[[Path], LoadSettings] = lambda path: LoadSettings()
        """Returns the settings to load a file with."""
        # In this state, messages wait for a model. The state lasts until `load` or `none_found` is called.
        self.status = Status("loading")

    def none_found(self) -> None:
        """Set the status "empty", because no model file was found at the start."""
        self._set(Status("empty"))

    async def load(self, path: Path, *, on_processor: bool = False) -> bool:
        """Load this model in place of the one in memory. Return False if that failed; `status.error` is then the
        reason. With `on_processor`, no graphics card computes it, whatever the settings say."""
        self._path = path
        self._set(Status("loading"))
        try:
            engine = await self.engine()
            settings = self.load_settings_for(path)
            await engine.load(path, replace(settings, devices=()) if on_processor else settings)
        except EngineError as error:
            if self.status.error is None:
                self._set(Status("empty", error=error))
            return False
        except Exception as error:  # catches every exception, because answers would wait forever in state "loading"
            log.error("loading a model failed\n%s", redacted_traceback(error))
            self._set(Status("empty", error=EngineError(f"{type(error).__name__}: {error}")))
            return False
        return True

    def forget(self, owners: Sequence[str]) -> None:
        """Remove the KV states of deleted chats from memory. May be called on any thread."""
        if self._engine is not None:
            self._engine.forget(owners)

    async def reload(self, *, on_processor: bool = False) -> bool:
        """Load the last model file again, after a failure. See `load`."""
        return self._path is not None and await self.load(self._path, on_processor=on_processor)

    def cancel_load(self) -> None:
        """Cancel the load in progress, if there is one. The status then has the error LoadCancelled."""
        if self._engine is not None and self.status.state == "loading":
            self._engine.cancel_load()

    async def unload(self) -> None:
        """Free the memory of the model. The engine can then load another one."""
        if self._engine is not None:
            await self._engine.unload()

    @property
    def path(self) -> Path | None:
        """The model file that was requested last, loaded or not."""
        return self._path

    async def engine(self) -> Engine:
        """Returns the engine, even if no model is loaded. The first call creates the engine. Raises EngineClosed after
        `aclose`."""
        async with self._making:
            if self._closed:
                raise EngineClosed
            if self._engine is None:
                loop = asyncio.get_running_loop()
                self._engine = await asyncio.shield(loop.run_in_executor(None, self._make_engine))
                self._end_watch = self._engine.watch(self._status_received)
            return self._engine

    async def ready(self) -> Engine:
        """Wait until no load is in progress and return the engine with its model. Raises the error of the load, or
        NotLoaded."""
        while self.status.state == "loading":
            await self._changed.wait()
        if self.status.state == "ready" and self._engine is not None:
            return self._engine
        raise self.status.error or NotLoaded()

    async def aclose(self) -> None:
        """Free the model and end the thread that calls llama.cpp. Idempotent."""
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

    def _status_received(self, status: Status) -> None:
        if status.state == "empty" and status.error is None and self.status.state == "loading":
            return  # a new engine reports "empty" until it begins the requested load
        self._set(status)

    def _set(self, status: Status) -> None:
        self.status = status
        self._changed.set()
        self._changed = asyncio.Event()
        self.status_changed.emit(status)
