"""The model's place while nobody needs it, where the person lets tools free the model and load it again.

Always the one file of the settings: no request ever names one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.engine import Engine
from engine.status import ModelInfo

GLANCE_S = 0.1
"""How often it is looked, at most, whether the window still uses the model."""


class KeepAlive:
    """Belongs to the endpoint's loop, which must own the engine where there is a file. Without one, nothing changes.

    A model can go in two ways. `unload` takes it away until somebody loads it. Put away, once nobody has used it for as
    long as it was to be kept, it rests: it is shown as before, and the next request has it loaded again."""

    def __init__(self, engine: Engine, file: Path | None) -> None:
        self._engine = engine
        self._file = file
        self._changing = asyncio.Lock()
        self._resting: ModelInfo | None = None
        self._kept_s: float | None = None
        self._n_users = 0
        self._used_at = 0.0
        self._news = asyncio.Event()
        self._countdown: asyncio.Task[None] | None = None

    @property
    def can_unload(self) -> bool:
        return self._file is not None

    @property
    def unloaded_model(self) -> ModelInfo | None:
        """The model that was put away, until it is there again."""
        return self._resting

    @property
    def expires_at(self) -> float | None:
        """When the model goes if nobody uses it any more, in Unix time; None where it stays."""
        if self._kept_s is None:
            return None
        left_s = self._left_s()
        return time.time() + (self._kept_s if left_s is None else left_s)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """While the block runs, the model is not put away; how long it is kept counts from the end."""
        self._n_users += 1
        try:
            yield
        finally:
            self._n_users -= 1
            self._used_at = time.monotonic()
            self._news.set()

    def unload_after(self, seconds: float) -> None:
        """Lets the model go when nobody, not the window either, has used it for so long; infinity keeps it. The last
        word counts, until the model has gone."""
        if not self.can_unload:
            return
        self._kept_s = seconds if seconds < float("inf") else None
        self._used_at = time.monotonic()
        self._news.set()
        if self._kept_s is not None and (self._countdown is None or self._countdown.done()):
            self._countdown = asyncio.create_task(self._count_down(), name="keep the model")

    async def release(self) -> None:
        """For a user who needs it no more: it goes now, or when the last of the others is done."""
        self.unload_after(0)
        async with self._changing:
            if self._n_users == 1 and self._engine.idle_since is not None:
                await self._put_away()

    async def ensure_loaded(self) -> None:
        """Loads the model that was put away, if one was. Raises what `Engine.load` does."""
        if self._resting is None:
            return
        async with self._changing:
            if self._resting is not None:
                await self._load()

    async def load(self) -> ModelInfo:
        """Loads the file, unless a model is there. Raises what `Engine.load` does."""
        with self.in_use():
            async with self._changing:
                status = self._engine.status
                return status.model if status.state == "ready" and status.model else await self._load()

    async def unload(self) -> None:
        """Frees the model at once; what is being answered ends with NotLoaded."""
        async with self._changing:
            self._resting = self._kept_s = None
            await self._engine.unload()

    async def aclose(self) -> None:
        """Nothing goes any more."""
        async with self._changing:  # an unload that has begun is not torn
            if self._countdown is not None:
                self._countdown.cancel()
                await asyncio.wait({self._countdown})
                self._countdown = None

    async def _count_down(self) -> None:
        while True:
            left_s = self._left_s()
            if left_s is not None and left_s <= 0:
                async with self._changing:
                    left_s = self._left_s()
                    if left_s is not None and left_s <= 0:  # nobody came meanwhile
                        await self._put_away()
            else:
                self._news.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(left_s):
                        await self._news.wait()

    def _left_s(self) -> float | None:
        """Until the model goes, at the soonest; None while nothing counts down."""
        if self._kept_s is None or self._n_users or self._engine.status.state != "ready":
            return None
        idle_since = self._engine.idle_since
        if idle_since is None:
            return max(self._kept_s, GLANCE_S)
        return max(idle_since, self._used_at) + self._kept_s - time.monotonic()

    async def _put_away(self) -> None:
        self._kept_s = None
        if self._engine.status.state == "ready":
            self._resting = self._engine.status.model
            await self._engine.unload()

    async def _load(self) -> ModelInfo:
        assert self._file is not None
        found = await self._engine.load(self._file)
        self._resting = None
        return found
