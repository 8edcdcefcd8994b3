"""Asyncio tasks with an owner that can end them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class TaskSet:
    """Tasks that are ended together. `report(error, name)` is called for an error of a task. Loop's thread only."""

    def __init__(self, report: Callable[[BaseException, str], None]) -> None:
        self._report = report
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, coro: Coroutine[Any, Any, object], name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def join(self) -> None:
        """Waits until all tasks have ended by themselves."""
        while running := [task for task in self._tasks if task is not asyncio.current_task()]:
            await asyncio.wait(running)
            self._tasks.difference_update(running)

    def cancel(self) -> None:
        """Cancels the tasks without waiting for them. Idempotent."""
        for task in self._tasks:
            task.cancel()

    async def aclose(self) -> None:
        """Cancels the tasks, including those that are spawned meanwhile, and waits until they have ended."""
        while running := [task for task in self._tasks if task is not asyncio.current_task()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            self._tasks.difference_update(running)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._report(error, task.get_name())
