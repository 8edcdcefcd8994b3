"""A source of answers for tests, with an engine that is ready when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from desktop.chat.waiting import Waiting
from engine.chat_engine import ChatEngine


class FakeSource:
    def __init__(self, model_id: str, engine: ChatEngine, *, ready: bool = True, host: str = "") -> None:
        self.model_id, self.host, self.engine = model_id, host, engine
        self.ready = asyncio.Event()
        self.n_open = 0
        if ready:
            self.ready.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatEngine]:
        await self.ready.wait()
        self.n_open += 1
        try:
            yield self.engine
        finally:
            self.n_open -= 1

    def waiting(self) -> Waiting:
        return Waiting("memory")
