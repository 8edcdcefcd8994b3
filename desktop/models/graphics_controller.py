"""Finds graphics cards, builds the library for them if it is missing, and says what the models page shows of that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from PySide6.QtCore import QObject, Signal

from desktop.models.graphics_state import GraphicsState, LibraryProgress
from desktop.models.library_controller import LibraryController
from desktop.platform.task_set import TaskSet
from engine.devices.backend_state import BackendState
from engine.devices.card_detection import detect_cards
from engine.devices.library_build import LibraryBuild, kind_to_build
from engine.devices.offload import NO_OFFLOAD
from engine.status import Status


class GraphicsController(QObject):
    """Shows nothing and starts nothing before `start`. GUI thread only."""

    changed = Signal(object)
    """Carries the new `GraphicsState`."""

    def __init__(
        self,
        library: LibraryController,
        find_devices: Callable[[bool], Awaitable[object]],
        tasks: TaskSet,
        kind_to_build: Callable[[], str] = lambda: kind_to_build(detect_cards()),
        make_build: Callable[[str, Callable[[], None]], LibraryBuild] = LibraryBuild,
    ) -> None:
        """`find_devices` lists the cards again, with True also those of libraries that failed before.
        `kind_to_build`, called on a pool thread, returns the kind of library that is missing, or ""."""
        super().__init__()
        self.state = GraphicsState()
        self._library, self._find_devices, self._tasks = library, find_devices, tasks
        self._kind_to_build, self._make_build = kind_to_build, make_build
        self._backends: tuple[BackendState, ...] = ()
        self._used: tuple[str, ...] = ()
        self._build: LibraryBuild | None = None
        library.capacity_changed.connect(lambda capacity: self._update())
        library.local_models_changed.connect(self._update)

    def start(self) -> None:
        """Build the library for the cards of this computer, if it is missing."""
        self._tasks.spawn(self._start_build(), "prepare the graphics card")

    def try_again(self) -> None:
        """Repeat what failed: the build of the library, or the use of a driver."""
        if self._build is not None and self._build.error:
            self.start()
        else:
            self._tasks.spawn(self._find(True), "find graphics cards")

    def update_status(self, status: Status, backends: Sequence[BackendState]) -> None:
        """Set the status of the engine. `backends`: the state of each library for graphics cards."""
        memory = status.model.memory if status.state == "ready" and status.model is not None else None
        loaded = memory.offload if memory is not None else NO_OFFLOAD
        self._used = loaded.devices
        if self._backends != tuple(backends):
            self._backends = tuple(backends)
            self._library.set_devices([device for each in backends for device in each.devices], loaded)
        self._update()

    async def aclose(self) -> None:
        """Stop the build. The next start of the app continues it."""
        if self._build is not None:
            await asyncio.to_thread(self._build.stop)

    async def _start_build(self) -> None:
        kind = await asyncio.to_thread(self._kind_to_build)
        if not kind:
            return
        loop = asyncio.get_running_loop()
        self._build = self._make_build(kind, lambda: _call(loop, self._build_changed))
        self._build.start()
        self._update()

    def _build_changed(self) -> None:
        build = self._build
        if build is not None and build.is_done and not build.error:
            self._build = None
            if build.library is not None:
                self._tasks.spawn(self._find(False), "find graphics cards")
        self._update()

    async def _find(self, again: bool) -> None:
        await self._find_devices(again)

    def _update(self) -> None:
        build = self._build
        state = GraphicsState(
            cards=self._library.capacity.cards,
            used=self._used,
            failed=tuple(each for each in self._backends if each.error),
            build=LibraryProgress(build.progress, build.error) if build is not None else None,
            offers_load=bool(self._library.capacity.cards) and self._library.would_use_card(),
        )
        if state != self.state:
            self.state = state
            self.changed.emit(state)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:
        return  # the app has ended, and with it the event loop
