"""Runs a function on a daemon thread that nothing waits for at exit: reading from a network drive may never return."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def detached(name: str, function: Callable[..., Result], *args: object) -> asyncio.Future[Result]:
    """The result of `function(*args)`, run on a new daemon thread, or what it raises. Loop's thread only.

    Cancelling the future leaves the thread alone, which keeps neither the loop from closing nor the process from
    ending."""
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
    """Calls `function` on the loop's thread; does nothing if the loop is closed. Any thread."""
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:
        if not loop.is_closed():
            raise
