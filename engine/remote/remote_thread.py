"""The thread on which all connections to other servers run, with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from engine.errors import EngineClosed

MAX_CANCEL_ROUNDS = 3
"""How often tasks are cancelled when the thread ends, since a task may start others while it is cancelled."""

Result = TypeVar("Result")
Used = TypeVar("Used")


class RemoteThread:
    """An asyncio loop on a thread, which is started at the first use. May be used on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def spawn(self, work: Coroutine[Any, Any, Result], on_end: Callable[[asyncio.Task[Result]], None]) -> RemoteTask:
        """Starts a task on the thread. `on_end` is called there when it has ended, also if it was cancelled before it
        began. Never blocks. Raises EngineClosed."""

        def start(loop: asyncio.AbstractEventLoop) -> RemoteTask:
            started = RemoteTask(loop)
            loop.call_soon_threadsafe(started.start, work, on_end)
            return started

        return self._use_loop(work, start)

    async def call(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Runs `work` on the thread and returns its result to the caller's event loop. If the caller is cancelled, the
        work is cancelled too. Raises EngineClosed, and the errors of `work`."""
        return await asyncio.wrap_future(self._start(work))

    def run_blocking(self, work: Coroutine[Any, Any, Result]) -> Result:
        """As `call`, but blocks. For threads without an event loop."""
        return self._start(work).result()

    def _start(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        return self._use_loop(work, lambda loop: asyncio.run_coroutine_threadsafe(work, loop))

    def _use_loop(self, work: Coroutine[Any, Any, Any], use: Callable[[asyncio.AbstractEventLoop], Used]) -> Used:
        """Calls `use` with the running loop, which cannot be closed meanwhile."""
        with self._lock:
            if self._closed:
                work.close()
                raise EngineClosed
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_run, args=(self._loop,), name="inglenook-remote", daemon=True)
                self._thread.start()
            return use(self._loop)

    async def aclose(self) -> None:
        """Cancels all tasks and joins the thread. Idempotent. HTTP clients that use the thread are closed before."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None or not thread.is_alive():
            return
        ended = asyncio.get_running_loop().run_in_executor(None, thread.join)
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.shield(ended)


class RemoteTask:
    """A task on the remote thread. `cancel` may be called on any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None

    def start(self, work: Coroutine[Any, Any, Result], on_end: Callable[[asyncio.Task[Result]], None]) -> None:
        """Remote thread only."""
        self._task = task = self._loop.create_task(work)
        task.add_done_callback(on_end)

    async def wait(self) -> None:
        """Returns when the task has ended. Remote thread only."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def cancel(self) -> None:
        """Cancels the task. Does nothing if it has ended."""
        try:
            self._loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:  # the loop is closed, so the task has ended
            return

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        for _ in range(MAX_CANCEL_ROUNDS):
            if not (tasks := asyncio.all_tasks(loop)):
                break
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.wait(tasks, timeout=1))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
