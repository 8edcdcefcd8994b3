"""Runs blocking functions on daemon threads. Such a function may never return, for example a read from a network
drive."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def detached(name: str, function: Callable[..., Result], *args: object) -> asyncio.Future[Result]:
    """Runs `function(*args)` on a new daemon thread and returns a future with its result or error. Event loop thread
    only.

    The event loop can be closed, and the process can end, while the thread still runs. Cancelling the future does not
    stop the thread."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def give(result: Result) -> None:
        if not done.done():
            done.set_result(result)

    def fail(error: BaseException) -> None:
        if not done.done():
            done.set_exception(error)

    def run() -> None:
        try:
            result = function(*args)
        except BaseException as error:
            call_in(loop, fail, error)
        else:
            call_in(loop, give, result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return done


def call_in(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *args: object) -> None:
    """Calls `function` on the thread of the event loop, unless the loop is closed. May be called on any thread."""
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:
        if not loop.is_closed():
            raise
