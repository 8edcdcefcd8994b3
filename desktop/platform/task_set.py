"""Every task has an owner that can end it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class TaskSet:
    """Tasks that end together. What a task raises goes to `report(error, name)`, once. Loop's thread only."""

    def __init__(self, report: Callable[[BaseException, str], None]) -> None:
        self._report = report
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, coro: Coroutine[Any, Any, object], name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def join(self) -> None:
        """Waits until nothing runs, and ends nothing."""
        while running := [task for task in self._tasks if task is not asyncio.current_task()]:
            await asyncio.wait(running)
            self._tasks.difference_update(running)

    def cancel(self) -> None:
        """Ends what runs now, without waiting for it. Idempotent."""
        for task in self._tasks:
            task.cancel()

    async def aclose(self) -> None:
        """Cancels what still runs and waits for its end. Tasks that were spawned meanwhile are ended too."""
        while running := [task for task in self._tasks if task is not asyncio.current_task()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            self._tasks.difference_update(running)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._report(error, task.get_name())
