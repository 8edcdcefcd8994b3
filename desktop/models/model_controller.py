"""Creates the local engine, loads and unloads its model, and knows which engine answers in the window."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.backend import LoadSettings
from engine.chat_engine import LOCAL_CAPABILITIES, Capabilities, ChatEngine, EngineStatus
from engine.errors import EngineClosed, EngineError, NotLoaded
from engine.redacted_traceback import redacted_traceback
from engine.status import Status

if TYPE_CHECKING:
    from engine.engine import Engine

log = logging.getLogger(__name__)


class ModelController(QObject):
    """Owns the local engine. It answers in the window unless `answer_with` chooses another one. Event loop thread only.

    `make_engine` is called once, on a pool thread, because its imports take long."""

    status_changed = Signal(object)
    """Carries the `Status` of the local engine."""
    chat_status_changed = Signal(object)
    """Carries the `EngineStatus` of the engine that answers in the window."""

    forgotten = Signal(object)
    """Carries the ids of deleted chats, whose KV states must leave the memory of all models."""

    def __init__(self, make_engine: Callable[[], Engine]) -> None:
        super().__init__()
        self._make_engine = make_engine
        self._making = asyncio.Lock()
        self._engine: Engine | None = None
        self._chosen: ChatEngine | None = None
        """The engine that answers in the window in place of the local one."""
        self._end_chosen_watch: Callable[[], None] = lambda: None
        self._end_watch: Callable[[], None] | None = None
        self._changed = asyncio.Event()
        self._closed = False
        self._path: Path | None = None
        self.load_settings_for: Callable[[Path], LoadSettings] = lambda path: LoadSettings()
        """Returns the settings to load a file with."""
        self.make_room: Callable[[], Awaitable[None]] = _do_nothing
        """Called before each load. Unloads models that were loaded beside this engine and are not used."""
        # In this state, messages wait for a model. The state lasts until `load` or `none_found` is called.
        self.status = Status("loading")

    def none_found(self) -> None:
        """Set the status "empty", because no model file was found at the start."""
        self._set(Status("empty"))

    async def load(self, path: Path, *, on_processor: bool = False, answers: bool = True) -> bool:
        """Load this model in place of the one in memory. Return False if that failed; `status.error` is then the
        reason. The local engine then answers in the window, unless `answers` is False. With `on_processor`, no graphics
        card computes the model, whatever the settings say."""
        if answers:
            self.answer_with(None)
        self._path = path
        self._set(Status("loading"))
        try:
            engine = await self.engine()
            await self.make_room()
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
        self.forgotten.emit(tuple(owners))
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

    def answer_with(self, engine: ChatEngine | None) -> None:
        """Choose the engine that answers in the window; None means the local one. The model of the local engine stays
        loaded. Answers in progress are not affected."""
        if engine is self._chosen:
            return
        self._end_chosen_watch()
        self._chosen = engine
        self._end_chosen_watch = (lambda: None) if engine is None else engine.watch(self._chat_changed)
        self._chat_changed(self.chat_status)

    @property
    def answers_locally(self) -> bool:
        """Whether the local engine answers in the window."""
        return self._chosen is None

    def is_answered_by(self, engine: ChatEngine) -> bool:
        """Whether this engine answers in the window."""
        return engine is self._chosen

    @property
    def chat_status(self) -> EngineStatus:
        """Status of the engine that answers in the window."""
        return self.status if self._chosen is None else self._chosen.status

    @property
    def capabilities(self) -> Capabilities:
        """Capabilities of the engine that answers in the window. While no model is loaded, those of local models."""
        return LOCAL_CAPABILITIES if self._chosen is None else self._chosen.capabilities

    async def ready(self) -> ChatEngine:
        """Wait until no load is in progress and return the engine that answers in the window, with its model. Raises
        the error of the load, or NotLoaded."""
        while self.chat_status.state == "loading":
            await self._changed.wait()
        engine, status = self._chosen or self._engine, self.chat_status
        # a model on another server gets requests even if the last one failed, because the server may be back
        is_retried = status.state == "dead" and engine is self._chosen
        if engine is not None and (status.state == "ready" or is_retried):
            return engine
        raise status.error or NotLoaded()

    async def aclose(self) -> None:
        """Free the model and end the thread that calls llama.cpp. Idempotent."""
        self._closed = True
        self._end_chosen_watch()
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
        self.status_changed.emit(status)
        if self._chosen is None:
            self._chat_changed(status)

    def _chat_changed(self, status: EngineStatus) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
        self.chat_status_changed.emit(status)


async def _do_nothing() -> None:
    pass
