"""The threads that make prompts ready, and the leave to do so while the model stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, get_args

from engine.backend import TokenizationCancelled
from engine.errors import EngineClosed, NotLoaded
from engine.priority import Origin
from engine.prompt.prompt_builder import PromptBuilder

Result = TypeVar("Result")

LONG_CHARS = 1 << 17
"""Texts from this length on are read on a thread of their own; shorter ones take some 0.1 s."""


class PromptThreadPools:
    """One thread for each origin, so that a tool's huge prompt never holds up the window's short one, and another for
    each origin's long texts, so that they do not hold up short ones.

    `invalidate`, `drain` and `close` belong to the engine's loop, the rest to any thread."""

    def __init__(self) -> None:
        self._short = {origin: ThreadPoolExecutor(1, f"inglenook-prepare-{origin}") for origin in _ORIGINS}
        self._long = {origin: ThreadPoolExecutor(1, f"inglenook-prepare-long-{origin}") for origin in _ORIGINS}
        self.prompt_builder: PromptBuilder | None = None

    def pool(self, origin: Origin, n_chars: int) -> ThreadPoolExecutor:
        """The thread for a text of so many characters."""
        return (self._long if n_chars >= LONG_CHARS else self._short)[origin]

    def run(
        self, origin: Origin, n_chars: int, prompt_builder: PromptBuilder, work: Callable[[PromptBuilder], Result]
    ) -> Future[Result]:
        """Runs `work` with `prompt_builder`; its model cannot go meanwhile. Raises EngineClosed; the future,
        NotLoaded."""

        def checked() -> Result:
            if prompt_builder is not self.prompt_builder:
                raise NotLoaded
            try:
                return work(prompt_builder)
            except TokenizationCancelled:  # the model is about to be freed, or nobody waits
                raise NotLoaded from None

        try:
            return self.pool(origin, n_chars).submit(checked)
        except RuntimeError:  # closed a moment ago
            raise EngineClosed from None

    async def invalidate(self) -> None:
        """Waits until nothing tokenises with the model that is about to be freed; from here on, nothing will."""
        prompt_builder, self.prompt_builder = self.prompt_builder, None
        if prompt_builder is not None:
            prompt_builder.stop()
        await self.drain()
        if prompt_builder is not None:
            prompt_builder.close()

    async def drain(self) -> None:
        """Waits until all that was asked before is done."""
        await asyncio.gather(*(asyncio.wrap_future(pool.submit(_nothing)) for pool in self._pools()))

    def close(self) -> None:
        for pool in self._pools():
            pool.shutdown()

    def _pools(self) -> tuple[ThreadPoolExecutor, ...]:
        return (*self._short.values(), *self._long.values())


_ORIGINS: tuple[Origin, ...] = get_args(Origin)


def _nothing() -> None:
    """Run by a pool to show that all before it is done."""
