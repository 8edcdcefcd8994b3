"""Several local models in memory, each with an engine of its own. If memory is short, loading one unloads others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.errors import AllocationFailed, EngineClosed, EngineError, NotEnoughMemory
from engine.library.memory_estimate import MARGIN_BYTES, N_CTX_DEFAULT, context_shape, estimate_memory
from engine.library.split_files import read_model

BUSY_RETRY_S = 0.1
"""When an idle time is checked again if the model is still busy at its end."""


@dataclass(eq=False, slots=True)
class PooledModel:
    """A model in the pool. Read it on the pool's event loop only."""

    path: Path
    settings: LoadSettings
    engine: Engine
    is_adopted: bool = False
    """Whether the engine belongs to someone else. Its model is never unloaded by the pool."""
    n_users: int = 0
    """Number of leases."""
    used_at: float = 0.0
    """Time (`time.monotonic`) at which the last lease ended."""
    idle_limit_s: float | None = None
    """Idle time after which the model is unloaded; None if it stays loaded while memory allows."""
    timer: asyncio.TimerHandle | None = None

    @property
    def is_ready(self) -> bool:
        return self.engine.status.state == "ready"

    @property
    def is_idle(self) -> bool:
        """Whether nobody uses the model, so that it may be unloaded."""
        return not self.n_users and not self.is_adopted and self.engine.idle_since is not None


class ModelPool:
    """Loads models, and unloads the least recently used idle ones if memory is short. A model with a lease is never
    unloaded, nor is that of an adopted engine.

    Create it on the event loop that owns its engines. `acquire` may be called on any event loop, everything else only
    on that one."""

    def __init__(
        self,
        make_engine: Callable[[], Engine],
        needed_bytes: Callable[[Path, LoadSettings], int] | None = None,
        free_bytes: Callable[[], int] | None = None,
    ) -> None:
        """`make_engine` creates an engine without a model; all engines should have the same `StepArbiter`.
        `needed_bytes` estimates the memory for a model, and runs on a pool thread. `free_bytes` reads the free memory
        of the machine."""
        self._make_engine = make_engine
        self._needed_bytes = needed_bytes or estimate_needed_bytes
        self._free_bytes = free_bytes or free_memory_bytes
        self._loop = asyncio.get_running_loop()
        self._changing = asyncio.Lock()
        """Held while a model is loaded or unloaded."""
        self._models: list[PooledModel] = []
        self._loading: Engine | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def models(self) -> tuple[PooledModel, ...]:
        """The models in memory, and those of adopted engines."""
        return tuple(self._models)

    def adopt(self, engine: Engine) -> None:
        """Adds an engine that the caller loads and closes, such as the one of the window. `acquire` uses it for the
        model that it has loaded."""
        self._models.append(PooledModel(Path(), LoadSettings(), engine, is_adopted=True))

    @asynccontextmanager
    async def acquire(self, path: Path, settings: LoadSettings = LoadSettings()) -> AsyncIterator[Engine]:
        """Loads a model unless it is loaded, and yields its engine. The model stays loaded until the `async with` block
        ends. May be used on any event loop.

        Raises the exceptions of `Engine.load`; NotEnoughMemory and AllocationFailed only after all idle models were
        unloaded, or after a second try."""
        model = await self._on_own_loop(self._lease(path, settings))
        try:
            yield model.engine
        finally:
            self._loop.call_soon_threadsafe(self._release, model)

    async def load_into(self, engine: Engine, path: Path, settings: LoadSettings) -> None:
        """Replaces the model of an adopted engine, as `Engine.load` does, but unloads idle models first if memory is
        short."""
        async with self._changing:
            await self._load(engine, path, settings)

    def unload_after(self, path: Path, idle_s: float | None) -> None:
        """Sets the idle time after which the models of this file are unloaded. With None, and an infinite time, they
        stay loaded."""
        for model in self._models:
            if model.path == path and not model.is_adopted:
                model.idle_limit_s = idle_s if idle_s is not None and idle_s < float("inf") else None
                self._start_timer(model)

    def expires_in_s(self, model: PooledModel) -> float | None:
        """Seconds until an idle model is unloaded; None if it is in use or stays loaded."""
        return max(0.0, model.timer.when() - self._loop.time()) if model.timer is not None else None

    async def unload_idle(self) -> None:
        """Unloads every idle model."""
        async with self._changing:
            while await self._evict_one():
                pass

    async def aclose(self) -> None:
        """Cancels the load in progress and closes all engines except the adopted ones. Idempotent."""
        self._closed = True
        if self._loading is not None:
            self._loading.cancel_load()
        async with self._changing:
            closing, self._models = self._models, []
            for model in closing:
                self._stop_timer(model)
            await asyncio.gather(*(model.engine.aclose() for model in closing if not model.is_adopted))
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _lease(self, path: Path, settings: LoadSettings) -> PooledModel:
        # A loaded model is found without the lock, so that requests to it do not wait while another model is loaded.
        model = self._find(path, settings)
        if model is None:
            async with self._changing:
                model = self._find(path, settings) or await self._add(path, settings)
        self._stop_timer(model)
        model.n_users += 1
        return model

    def _find(self, path: Path, settings: LoadSettings) -> PooledModel | None:
        if self._closed:
            raise EngineClosed
        for model in self._models:
            loaded = model.engine.status.model
            if model.is_adopted:
                if model.is_ready and loaded is not None and loaded.path == path:
                    return model
            elif (model.path, model.settings) == (path, settings) and model.is_ready:
                return model
        return None

    async def _add(self, path: Path, settings: LoadSettings) -> PooledModel:
        """Loads a model. An engine whose model has failed is replaced."""
        for model in [each for each in self._models if (each.path, each.settings) == (path, settings)]:
            await self._remove(model)
        engine = self._make_engine()
        try:
            await self._load(engine, path, settings)
        except BaseException:
            await engine.aclose()
            raise
        model = PooledModel(path, settings, engine)
        self._models.append(model)
        return model

    async def _load(self, engine: Engine, path: Path, settings: LoadSettings) -> None:
        self._loading = engine
        try:
            await self._make_room(engine, path, settings)
            if self._closed:
                raise EngineClosed
            try:
                await engine.load(path, settings)
            except (NotEnoughMemory, AllocationFailed):
                if not await self._evict_one():
                    raise
                if self._closed:
                    raise EngineClosed from None
                await engine.load(path, settings)
        finally:
            self._loading = None

    async def _make_room(self, engine: Engine, path: Path, settings: LoadSettings) -> None:
        """Unloads idle models until the model fits beside the others, or none is left. The previous model of the engine
        counts as free."""
        try:
            needed = await asyncio.to_thread(self._needed_bytes, path, settings)
        except EngineError:
            return  # loading reports the error
        previous = engine.status.model
        replaced = previous.memory.needed if previous is not None and previous.memory is not None else 0
        while self._free_bytes() + replaced < needed and await self._evict_one():
            pass

    async def _evict_one(self) -> bool:
        """Unloads the least recently used idle model. Returns False if there is none."""
        idle = [each for each in self._models if each.is_idle]
        if not idle:
            return False
        await self._remove(min(idle, key=lambda each: each.used_at))
        return True

    async def _remove(self, model: PooledModel) -> None:
        self._models.remove(model)
        self._stop_timer(model)
        await model.engine.aclose()

    def _release(self, model: PooledModel) -> None:
        model.n_users -= 1
        model.used_at = time.monotonic()
        self._start_timer(model)

    def _start_timer(self, model: PooledModel, at_least_s: float = 0.0) -> None:
        self._stop_timer(model)
        if model.idle_limit_s is not None and not model.n_users and not self._closed:
            model.timer = self._loop.call_later(max(model.idle_limit_s, at_least_s), self._expire, model)

    def _stop_timer(self, model: PooledModel) -> None:
        if model.timer is not None:
            model.timer.cancel()
            model.timer = None

    def _expire(self, model: PooledModel) -> None:
        task = self._loop.create_task(self._unload_expired(model), name="unload an idle model")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _unload_expired(self, model: PooledModel) -> None:
        async with self._changing:
            if model not in self._models or model.n_users or model.idle_limit_s is None:
                return
            if model.is_idle:
                await self._remove(model)
            else:  # a cancelled answer has not ended yet
                self._start_timer(model, BUSY_RETRY_S)

    async def _on_own_loop(self, lease: Coroutine[Any, Any, PooledModel]) -> PooledModel:
        """Runs `lease` on the pool's event loop. If the caller is cancelled, the load goes on, because other callers
        may wait for it, and the lease is released at its end."""
        future = asyncio.run_coroutine_threadsafe(lease, self._loop)
        try:
            return await asyncio.shield(asyncio.wrap_future(future))
        except asyncio.CancelledError:
            future.add_done_callback(self._release_unused)
            raise

    def _release_unused(self, future: Future[PooledModel]) -> None:
        if not future.cancelled() and future.exception() is None:
            self._loop.call_soon_threadsafe(self._release, future.result())


def estimate_needed_bytes(path: Path, settings: LoadSettings) -> int:
    """Estimates the memory for a model with the context length that it gets if memory is not short, and what must
    remain free besides. Counts the whole model, even if graphics cards compute parts of it. Raises ModelFileError.
    Blocks: it reads the file's header."""
    header = read_model(path)
    n_train = header.number("context_length") or N_CTX_DEFAULT
    n_ctx = settings.n_ctx or min(n_train, N_CTX_DEFAULT)
    return estimate_memory(header, settings, n_ctx, **context_shape(header)).needed + MARGIN_BYTES


def free_memory_bytes() -> int:
    return int(psutil.virtual_memory().available)
