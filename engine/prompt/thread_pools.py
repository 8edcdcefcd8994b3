"""The threads on which prompts are built, and the validity of the current model's PromptBuilder on them."""

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

LONG_TEXT_CHARS = 1 << 17
"""From this length on, texts are processed on a separate thread. Shorter ones take about 0.1 s at most."""


class PromptThreadPools:
    """One thread per origin, so that a long prompt of the endpoint does not delay the window; and another thread per
    origin for long texts, so that they do not delay short ones.

    `invalidate`, `drain` and `close`: call them on the engine's loop. Others: any thread."""

    def __init__(self) -> None:
        self._short = {origin: ThreadPoolExecutor(1, f"inglenook-prepare-{origin}") for origin in _ORIGINS}
        self._long = {origin: ThreadPoolExecutor(1, f"inglenook-prepare-long-{origin}") for origin in _ORIGINS}
        self.prompt_builder: PromptBuilder | None = None

    def pool(self, origin: Origin, n_chars: int) -> ThreadPoolExecutor:
        """The thread for a text of this length."""
        return (self._long if n_chars >= LONG_TEXT_CHARS else self._short)[origin]

    def run(
        self, origin: Origin, n_chars: int, prompt_builder: PromptBuilder, task: Callable[[PromptBuilder], Result]
    ) -> Future[Result]:
        """Runs `task` with `prompt_builder`, whose model stays loaded meanwhile. Raises EngineClosed. The future
        raises NotLoaded if the builder is no longer current or the task was cancelled."""

        def checked() -> Result:
            if prompt_builder is not self.prompt_builder:
                raise NotLoaded
            try:
                return task(prompt_builder)
            except TokenizationCancelled:  # the model is being unloaded, or the caller has cancelled
                raise NotLoaded from None

        try:
            return self.pool(origin, n_chars).submit(checked)
        except RuntimeError:  # the pool has been closed
            raise EngineClosed from None

    async def invalidate(self) -> None:
        """Cancels all tasks of the current builder and waits for them, before its model is freed."""
        prompt_builder, self.prompt_builder = self.prompt_builder, None
        if prompt_builder is not None:
            prompt_builder.stop()
        await self.drain()
        if prompt_builder is not None:
            prompt_builder.close()

    async def drain(self) -> None:
        """Waits until all tasks submitted so far are done."""
        await asyncio.gather(*(asyncio.wrap_future(pool.submit(_no_op)) for pool in self._pools()))

    def close(self) -> None:
        for pool in self._pools():
            pool.shutdown()

    def _pools(self) -> tuple[ThreadPoolExecutor, ...]:
        return (*self._short.values(), *self._long.values())


_ORIGINS: tuple[Origin, ...] = get_args(Origin)


def _no_op() -> None:
    pass
