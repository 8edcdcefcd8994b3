"""The model's place while nobody needs it, where the person lets tools free the model and load it again.

Always the one file of the settings: no request ever names one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from api.activity import Activity
from engine.engine import Engine
from engine.events import ModelInfo


class Shelf:
    """Belongs to the endpoint's loop, which must own the engine where there is a file. Without one, nothing changes.

    A model can go in two ways. `unload` takes it away until somebody loads it. `put_away` lets it rest: it is shown as
    before, and the next request has it loaded again."""

    def __init__(self, engine: Engine, activity: Activity, file: Path | None) -> None:
        self._engine = engine
        self._activity = activity
        self._file = file
        self._changing = asyncio.Lock()
        self._resting: ModelInfo | None = None

    @property
    def may_change(self) -> bool:
        return self._file is not None

    @property
    def resting(self) -> ModelInfo | None:
        """The model that was put away, until it is there again."""
        return self._resting

    async def put_away(self) -> None:
        """Frees the model as soon as nothing is under way; nobody's answer is cut off."""
        while self.may_change:
            await self._activity.idle.wait()
            async with self._changing:
                if not self._activity.idle.is_set():
                    continue  # somebody came meanwhile
                if self._engine.status.state == "ready":
                    self._resting = self._engine.status.model
                    await self._engine.unload()
                return

    async def take_back(self) -> None:
        """Loads the model that was put away, if one was. Raises what `Engine.load` does."""
        if self._resting is None:
            return
        async with self._changing:
            if self._resting is not None:
                await self._load()

    async def load(self) -> ModelInfo:
        """Loads the file, unless a model is there. Raises what `Engine.load` does."""
        async with self._changing:
            status = self._engine.status
            return status.model if status.state == "ready" and status.model else await self._load()

    async def unload(self) -> None:
        """Frees the model at once; what is being answered ends with NotLoaded."""
        async with self._changing:
            self._resting = None
            await self._engine.unload()

    async def _load(self) -> ModelInfo:
        assert self._file is not None
        found = await self._engine.load(self._file)
        self._resting = None
        return found
