"""The local models of comparisons: loads them beside the model of the window, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.chat.waiting import Waiting
from desktop.models.model_controller import ModelController
from engine.backend import LoadSettings
from engine.chat_engine import ChatEngine
from engine.errors import AllocationFailed, NotEnoughMemory
from engine.files.display_name import display_name

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.pool import ModelPool

IDLE_LIMIT_S = 300.0
"""A model that was loaded for a comparison is unloaded when nobody has used it for this long."""


class LocalModels:
    """Local models in memory beside that of the window. Event-loop thread only.

    `make_engine` creates an engine without a model, `load_settings_for` returns the settings of a model file.
    `make_pool` replaces `ModelPool` in tests."""

    def __init__(
        self,
        models: ModelController,
        make_engine: Callable[[], Engine],
        load_settings_for: Callable[[Path], LoadSettings],
        make_pool: Callable[[Callable[[], Engine]], ModelPool] | None = None,
    ) -> None:
        self._models, self._make_engine, self._load_settings_for = models, make_engine, load_settings_for
        self._make_pool = make_pool or _make_pool
        self._pool: ModelPool | None = None
        self._turn = asyncio.Lock()
        """Held while a model is loaded, or waits for memory."""
        self._loading: Engine | None = None
        self._lease_ended = asyncio.Event()

    @asynccontextmanager
    async def open(self, path: Path, loads: Callable[[bool], None]) -> AsyncIterator[ChatEngine]:
        """Yields an engine with this model, which stays loaded until the `async with` block ends. Calls `loads(True)`
        when the model begins to load, and `loads(False)` when it has to wait again.

        If memory is short, it waits until another comparison has ended with its model. Raises the errors of
        `ModelPool.acquire`."""
        pool, settings = await self._open_pool(), self._load_settings_for(path)
        async with self._turn:
            lease = pool.acquire(path, settings)
            while True:
                loads(True)
                try:
                    engine = await lease.__aenter__()
                    break
                except (NotEnoughMemory, AllocationFailed):
                    if not any(each.n_users for each in pool.models if not each.is_adopted):
                        raise
                    loads(False)
                    lease = pool.acquire(path, settings)
                    await self._wait_for_lease()
        try:
            yield engine
        finally:
            await lease.__aexit__(None, None, None)
            pool.unload_after(path, IDLE_LIMIT_S)
            asyncio.get_running_loop().call_soon_threadsafe(self._lease_ended.set)

    @property
    def progress(self) -> float | None:
        """Progress of the load in progress, from 0 to 1; None if unknown."""
        status = self._loading.status if self._loading is not None else None
        return status.progress if status is not None and status.state == "loading" else None

    def forget(self, owners: Sequence[str]) -> None:
        """Remove the KV states of deleted chats from memory. May be called on any thread."""
        for each in self._pool.models if self._pool is not None else ():
            each.engine.forget(owners)

    async def make_room(self) -> None:
        """Unload all models that no comparison uses."""
        if self._pool is not None:
            await self._pool.unload_idle()

    async def aclose(self) -> None:
        """Idempotent."""
        if self._pool is not None:
            await self._pool.aclose()

    async def _open_pool(self) -> ModelPool:
        window_engine = await self._models.engine()
        if self._pool is None:
            self._pool = self._make_pool(self._make)
            self._pool.adopt(window_engine)
        return self._pool

    def _make(self) -> Engine:
        self._loading = self._make_engine()
        return self._loading

    async def _wait_for_lease(self) -> None:
        self._lease_ended.clear()
        await self._lease_ended.wait()


class LocalModel:
    """One local model of a comparison; an `AnswerSource`."""

    def __init__(self, models: LocalModels, path: Path) -> None:
        self.model_id = display_name(path.stem)
        self.host = ""
        self._models, self._path = models, path
        self._loads = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatEngine]:
        async with self._models.open(self._path, self._set_loads) as engine:
            yield engine

    def waiting(self) -> Waiting:
        return Waiting("loading", self._models.progress) if self._loads else Waiting("memory")

    def _set_loads(self, loads: bool) -> None:
        self._loads = loads


def _make_pool(make_engine: Callable[[], Engine]) -> ModelPool:
    from engine.pool import ModelPool  # imported here, because the start does not need it

    return ModelPool(make_engine)
