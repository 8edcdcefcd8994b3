"""The threads that make prompts ready, and the leave to do so while the model stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, get_args

from engine.backend import TokenizingCancelled
from engine.errors import EngineClosed, NotLoaded
from engine.prompt.prepare import Preparer
from engine.requests import Door

Result = TypeVar("Result")

LONG_CHARS = 1 << 17
"""Texts from this length on are read on a thread of their own; shorter ones take some 0.1 s."""


class PreparePools:
    """One thread for each door, so that a tool's huge prompt never holds up the window's short one, and another for
    each door's long texts, so that they do not hold up short ones.

    `withdraw`, `settle` and `close` belong to the engine's loop, the rest to any thread."""

    def __init__(self) -> None:
        self._short = {door: ThreadPoolExecutor(1, f"inglenook-prepare-{door}") for door in _DOORS}
        self._long = {door: ThreadPoolExecutor(1, f"inglenook-prepare-long-{door}") for door in _DOORS}
        self.preparer: Preparer | None = None

    def pool(self, door: Door, n_chars: int) -> ThreadPoolExecutor:
        """The thread for a text of so many characters."""
        return (self._long if n_chars >= LONG_CHARS else self._short)[door]

    def run(self, door: Door, n_chars: int, preparer: Preparer, work: Callable[[Preparer], Result]) -> Future[Result]:
        """Runs `work` with `preparer`; its model cannot go meanwhile. Raises EngineClosed; the future, NotLoaded."""

        def checked() -> Result:
            if preparer is not self.preparer:
                raise NotLoaded
            try:
                return work(preparer)
            except TokenizingCancelled:  # the model is about to be freed, or nobody waits
                raise NotLoaded from None

        try:
            return self.pool(door, n_chars).submit(checked)
        except RuntimeError:  # closed a moment ago
            raise EngineClosed from None

    async def withdraw(self) -> None:
        """Waits until nothing tokenises with the model that is about to be freed; from here on, nothing will."""
        preparer, self.preparer = self.preparer, None
        if preparer is not None:
            preparer.stop()
        await self.settle()
        if preparer is not None:
            preparer.close()

    async def settle(self) -> None:
        """Waits until all that was asked before is done."""
        await asyncio.gather(*(asyncio.wrap_future(pool.submit(_nothing)) for pool in self._pools()))

    def close(self) -> None:
        for pool in self._pools():
            pool.shutdown()

    def _pools(self) -> tuple[ThreadPoolExecutor, ...]:
        return (*self._short.values(), *self._long.values())


_DOORS: tuple[Door, ...] = get_args(Door)


def _nothing() -> None:
    """Run by a pool to show that all before it is done."""
