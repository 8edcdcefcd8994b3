"""Unloads an idle model, and loads it again for the next request, if the user allows that.

The model is always the file in the settings; no request can name another file.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.status import ModelInfo

POLL_INTERVAL_S = 0.1
"""Interval between two checks whether the window still uses the model."""


class KeepAlive:
    """Decides when the model is unloaded and loaded again. Used on the endpoint's event loop only.

    `file`: the model's file, which is loaded with `settings`. If it is None, or if there is no local `engine`, no idle
    model is unloaded; else the endpoint's event loop must own the engine. A model can be unloaded in two ways. After
    `unload`, requests fail until `load` is called. A model that was unloaded because it was idle is still listed, and
    the next request loads it again (`ensure_loaded`)."""

    def __init__(self, engine: Engine | None, file: Path | None, settings: LoadSettings = LoadSettings()) -> None:
        self._local_engine = engine
        self._settings = settings
        self._file = file if engine is not None else None
        self._changing = asyncio.Lock()
        self._unloaded_model: ModelInfo | None = None
        self._idle_limit_s: float | None = None
        self._n_users = 0
        self._used_at = 0.0
        self._changed = asyncio.Event()
        self._timer: asyncio.Task[None] | None = None

    @property
    def _engine(self) -> Engine:
        assert self._local_engine is not None
        return self._local_engine

    @property
    def can_unload(self) -> bool:
        return self._file is not None

    @property
    def unloaded_model(self) -> ModelInfo | None:
        """The model that was unloaded because it was idle. None if no model was unloaded for that reason, or if it has
        been loaded again."""
        return self._unloaded_model

    @property
    def expires_at(self) -> float | None:
        """Unix time at which the model will be unloaded if nobody uses it before; None if it will stay loaded."""
        if self._idle_limit_s is None:
            return None
        left_s = self._left_s()
        return time.time() + (self._idle_limit_s if left_s is None else left_s)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Marks the model as in use while the `with` block runs. The model's idle time begins when the block ends."""
        self._n_users += 1
        try:
            yield
        finally:
            self._n_users -= 1
            self._used_at = time.monotonic()
            self._changed.set()

    def unload_after(self, idle_s: float) -> None:
        """Unloads the model once neither a client nor the window has used it for `idle_s` seconds. With an infinite
        `idle_s`, the model is never unloaded.

        Replaces an earlier limit, and applies until the model is unloaded."""
        if not self.can_unload:
            return
        self._idle_limit_s = idle_s if idle_s < float("inf") else None
        self._used_at = time.monotonic()
        self._changed.set()
        if self._idle_limit_s is not None and (self._timer is None or self._timer.done()):
            self._timer = asyncio.create_task(self._run_timer(), name="unload the idle model")

    async def release(self) -> None:
        """Unloads the model now if only the caller uses it (see `in_use`), else when its last user is done."""
        self.unload_after(0)
        async with self._changing:
            if self._n_users == 1 and self._engine.idle_since is not None:
                await self._unload_idle()

    async def ensure_loaded(self) -> None:
        """Loads the model again if it was unloaded because it was idle. Raises the exceptions of `Engine.load`."""
        if self._unloaded_model is None:
            return
        async with self._changing:
            if self._unloaded_model is not None:
                await self._load()

    async def load(self) -> ModelInfo:
        """Loads the file unless a model is loaded, and returns the model. Raises the exceptions of `Engine.load`."""
        with self.in_use():
            async with self._changing:
                status = self._engine.status
                return status.model if status.state == "ready" and status.model else await self._load()

    async def unload(self) -> None:
        """Unloads the model at once. Answers in progress end with NotLoaded."""
        async with self._changing:
            self._unloaded_model = self._idle_limit_s = None
            await self._engine.unload()

    async def aclose(self) -> None:
        """Stops the idle timer."""
        async with self._changing:  # waits for an unload in progress
            if self._timer is not None:
                self._timer.cancel()
                await asyncio.wait({self._timer})
                self._timer = None

    async def _run_timer(self) -> None:
        while True:
            left_s = self._left_s()
            if left_s is not None and left_s <= 0:
                async with self._changing:
                    left_s = self._left_s()
                    if left_s is not None and left_s <= 0:  # the model is still idle
                        await self._unload_idle()
            else:
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(left_s):
                        await self._changed.wait()

    def _left_s(self) -> float | None:
        """Seconds until the model may be unloaded; None while the model is in use or must stay loaded."""
        if self._idle_limit_s is None or self._n_users or self._engine.status.state != "ready":
            return None
        idle_since = self._engine.idle_since
        if idle_since is None:
            return max(self._idle_limit_s, POLL_INTERVAL_S)
        return max(idle_since, self._used_at) + self._idle_limit_s - time.monotonic()

    async def _unload_idle(self) -> None:
        self._idle_limit_s = None
        if self._engine.status.state == "ready":
            self._unloaded_model = self._engine.status.model
            await self._engine.unload()

    async def _load(self) -> ModelInfo:
        assert self._file is not None
        model = await self._engine.load(self._file, self._settings)
        self._unloaded_model = None
        return model
