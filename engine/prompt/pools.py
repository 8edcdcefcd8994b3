"""The threads that make prompts ready, and the leave to do so while the model stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from engine.errors import EngineClosed, NotLoaded
from engine.prompt.prepare import Preparer
from engine.requests import Door

Result = TypeVar("Result")


class PreparePools:
    """One thread for each door, so that a tool's huge prompt never holds up the window's short one.

    `withdraw`, `settle` and `close` belong to the engine's loop, the rest to any thread."""

    def __init__(self) -> None:
        self.by_door: dict[Door, ThreadPoolExecutor] = {
            door: ThreadPoolExecutor(1, f"inglenook-prepare-{door}") for door in ("window", "endpoint")
        }
        self.preparer: Preparer | None = None

    def run(self, door: Door, preparer: Preparer, work: Callable[[Preparer], Result]) -> Future[Result]:
        """Runs `work` with `preparer`; its model cannot go meanwhile. Raises EngineClosed; the future, NotLoaded."""

        def checked() -> Result:
            if preparer is not self.preparer:
                raise NotLoaded
            return work(preparer)

        try:
            return self.by_door[door].submit(checked)
        except RuntimeError:  # closed a moment ago
            raise EngineClosed from None

    async def withdraw(self) -> None:
        """Waits until nothing tokenises with the model that is about to be freed; from here on, nothing will."""
        preparer, self.preparer = self.preparer, None
        await self.settle()
        if preparer is not None:
            preparer.close()

    async def settle(self) -> None:
        """Waits until all that was asked before is done."""
        await asyncio.gather(*(asyncio.wrap_future(pool.submit(_nothing)) for pool in self.by_door.values()))

    def close(self) -> None:
        for pool in self.by_door.values():
            pool.shutdown()


def _nothing() -> None:
    """Run by a pool to show that all before it is done."""
