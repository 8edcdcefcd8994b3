"""Runs blocking functions that may never return, such as reading from a network drive."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def detached(name: str, function: Callable[..., Result], *args: object) -> asyncio.Future[Result]:
    """The result or error of `function(*args)`, run on a new daemon thread. Loop's thread only.

    Neither the loop nor the process waits for the thread. Cancelling the future does not stop it."""
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
    """Calls `function` on the loop's thread, unless the loop is closed. Any thread."""
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:
        if not loop.is_closed():
            raise
