"""Closes the parts of the app, each within a time limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

log = logging.getLogger(__name__)


class TimedExitStack(AsyncExitStack):
    """An exit stack whose closing steps have time limits. A step that fails or takes too long is logged, and the next
    one runs.

    Event loop thread only."""

    def __init__(self) -> None:
        super().__init__()
        self.overdue: list[str] = []
        """The names of closing steps that took too long."""

    def closes(self, name: str, close: Callable[[], Awaitable[object]], timeout_s: float) -> None:
        self.push_async_callback(self._close, name, close, timeout_s)

    async def _close(self, name: str, close: Callable[[], Awaitable[object]], timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await close()
        except TimeoutError:
            log.error("closing the %s took longer than %s s", name, timeout_s)
            self.overdue.append(name)
        except Exception:
            log.exception("closing the %s failed", name)
