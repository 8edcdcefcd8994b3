"""A set of asyncio tasks that their owner can wait for and cancel together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class TaskSet:
    """Holds the running tasks of one owner. An error of a task is passed to `report(error, name)`. Event loop thread
    only."""

    def __init__(self, report: Callable[[BaseException, str], None]) -> None:
        self._report = report
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, coro: Coroutine[Any, Any, object], name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def join(self) -> None:
        """Waits until all tasks have ended, without cancelling them."""
        while running := [task for task in self._tasks if task is not asyncio.current_task()]:
            await asyncio.wait(running)
            self._tasks.difference_update(running)

    def cancel(self) -> None:
        """Cancels the tasks without waiting for them. Idempotent."""
        for task in self._tasks:
            task.cancel()

    async def aclose(self) -> None:
        """Cancels the tasks and waits until they have ended. Tasks that are spawned during the wait are cancelled
        too."""
        while running := [task for task in self._tasks if task is not asyncio.current_task()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            self._tasks.difference_update(running)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._report(error, task.get_name())
