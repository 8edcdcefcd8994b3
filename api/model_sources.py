"""The models besides that of the endpoint: on other servers, and in files that are loaded when they are needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from api.model_router import ModelState
from engine.backend import LoadSettings
from engine.chat_engine import LOCAL_CAPABILITIES, Capabilities, ChatEngine, ChatModel
from engine.errors import NotLoaded
from engine.files.display_name import display_name
from engine.library.split_files import read_model, total_size
from engine.pool import ModelPool, PooledModel

LOAD_WAIT_S = 60.0
"""How long a request waits for its model. Then it is answered 503, and loading goes on."""


class RemoteSource:
    """A model on another server. See `api.model_router.ModelSource`."""

    can_unload = False
    expires_at = None

    def __init__(self, engine: ChatEngine, model: ChatModel, place: str) -> None:
        self._engine = engine
        self._first_model = model
        self.place = place

    @property
    def model(self) -> ChatModel:
        return self._engine.status.model or self._first_model

    @property
    def state(self) -> ModelState:
        if self._engine.status.state != "ready":
            return "failed"
        return "unloaded" if getattr(self.model, "is_loaded", None) is False else "loaded"

    @property
    def capabilities(self) -> Capabilities:
        return self._engine.capabilities

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[ChatEngine]:
        yield self._engine

    def unload_after(self, idle_s: float) -> None:
        """Does nothing: the other server decides how long it keeps its models."""

    async def release(self) -> None:
        """Does nothing."""

    async def ensure_loaded(self) -> None:
        """Does nothing."""


@dataclass(frozen=True, slots=True)
class UnloadedModel:
    """A model file, as its header describes it. See `engine.chat_engine.ChatModel`."""

    id: str
    name: str
    n_ctx: int
    """The context length for which it was trained."""
    loaded_at: float
    """Unix time at which the file was changed."""
    size_bytes: int
    host: str = ""


def read_unloaded(path: Path) -> UnloadedModel:
    """Reads a model file's header. Blocks. Raises ModelFileError, OSError."""
    header = read_model(path)
    id = display_name(path.stem)
    n_ctx = header.number("context_length") or 0
    return UnloadedModel(id, id, n_ctx, path.stat().st_mtime, total_size(path))


class FileSource:
    """A model file, which the pool loads when a request needs it. See `api.model_router.ModelSource`. The endpoint's
    event loop must own the pool."""

    place = ""
    can_unload = True
    capabilities = LOCAL_CAPABILITIES

    def __init__(
        self,
        pool: ModelPool,
        path: Path,
        unloaded: UnloadedModel,
        settings: LoadSettings = LoadSettings(),
        wait_s: float = LOAD_WAIT_S,
    ) -> None:
        self._pool = pool
        self._path = path
        self._unloaded = unloaded
        self._settings = settings
        self._wait_s = wait_s
        self._loading: asyncio.Task[None] | None = None
        self._failed = False

    @property
    def _pooled(self) -> PooledModel | None:
        return next((each for each in self._pool.models if each.path == self._path and each.is_ready), None)

    @property
    def model(self) -> ChatModel:
        pooled = self._pooled
        return (pooled.engine.status.model if pooled is not None else None) or self._unloaded

    @property
    def state(self) -> ModelState:
        if self._pooled is not None:
            return "loaded"
        if self._loading is not None and not self._loading.done():
            return "loading"
        return "failed" if self._failed else "unloaded"

    @property
    def expires_at(self) -> float | None:
        pooled = self._pooled
        left_s = None if pooled is None else self._pool.expires_in_s(pooled)
        return None if left_s is None else time.time() + left_s

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[ChatEngine]:
        """See `ModelSource.lease`. Several requests wait for the same load."""
        await self.ensure_loaded()
        async with self._pool.acquire(self._path, self._settings) as engine:
            yield engine

    async def ensure_loaded(self) -> None:
        if self._pooled is not None:
            return
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._load(), name="load a model for a request")
            self._loading.add_done_callback(self._loaded)
        try:
            async with asyncio.timeout(self._wait_s):
                await asyncio.shield(self._loading)
        except TimeoutError:
            raise NotLoaded(loading=True) from None

    def unload_after(self, idle_s: float) -> None:
        self._pool.unload_after(self._path, idle_s)

    async def release(self) -> None:
        """Lets the pool unload the model when the last lease ends."""
        self._pool.unload_after(self._path, 0)

    async def _load(self) -> None:
        async with self._pool.acquire(self._path, self._settings):
            pass

    def _loaded(self, task: asyncio.Task[None]) -> None:
        self._failed = not task.cancelled() and task.exception() is not None
