"""The requests that tools have under way: each is ended when its client leaves, all when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from starlette.types import Receive

from api.errors import StoppedHere
from api.together import Together
from api.totals import Totals
from engine.engine import Engine
from engine.events import Embeddings
from engine.requests import EmbedRequest, Request
from engine.stream import RequestStream


class Activity:
    """Belongs to the endpoint's loop."""

    def __init__(self) -> None:
        self.totals = Totals()
        self._streams: dict[RequestStream, Request] = {}
        self._embeddings: set[asyncio.Task[Embeddings]] = set()

    def __len__(self) -> int:
        return len(self._streams) + len(self._embeddings)

    @property
    def requests(self) -> list[Request]:
        """What is under way now, the oldest first."""
        return list(self._streams.values())

    @asynccontextmanager
    async def ask(self, engine: Engine, requests: Sequence[Request], receive: Receive) -> AsyncIterator[Together]:
        """Submits the requests of one client for as long as the block runs and the client stays.

        When the client leaves, the engine is told at once, and the streams end by themselves with `Finished`: also
        while a prompt is read, or a whole answer collected. Raises what `Engine.submit` raises."""
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(engine.submit(request)) for request in requests]
            self._streams.update(zip(streams, requests, strict=True))
            together = Together(streams, self.totals.count)
            watch = asyncio.create_task(_cancel_when_gone(receive, together), name=f"client of {requests[0].id}")
            try:
                yield together
            finally:
                for stream in streams:
                    del self._streams[stream]
                watch.cancel()
                await asyncio.wait({watch})
                await together.aclose()

    async def embed(self, engine: Engine, request: EmbedRequest, receive: Receive) -> Embeddings:
        """The vectors, for a client that stays. Raises what `Engine.embed` raises, and StoppedHere."""
        task = asyncio.create_task(engine.embed(request), name=f"embedding {request.id}")
        self._embeddings.add(task)
        watch = asyncio.create_task(_cancel_when_gone(receive, task), name=f"client of {request.id}")
        try:
            await asyncio.wait({task})
        finally:
            self._embeddings.discard(task)
            task.cancel()
            watch.cancel()
            await asyncio.wait({watch, task})
        if task.cancelled():
            raise StoppedHere
        return task.result()

    def cancel_all(self) -> None:
        """Ends every request; their clients are told so."""
        for stream in self._streams:
            stream.cancel()
        for task in self._embeddings:
            task.cancel()


class _Cancellable(Protocol):
    def cancel(self) -> object: ...


async def _cancel_when_gone(receive: Receive, what: _Cancellable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    what.cancel()
