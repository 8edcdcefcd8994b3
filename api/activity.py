"""The requests that tools have under way: each is ended when its client leaves, all when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.types import Receive

from api.together import Together
from api.totals import Totals
from engine.engine import Engine
from engine.requests import Request
from engine.stream import RequestStream


class Activity:
    """Belongs to the endpoint's loop."""

    def __init__(self) -> None:
        self.totals = Totals()
        self._streams: dict[RequestStream, Request] = {}

    def __len__(self) -> int:
        return len(self._streams)

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

    def cancel_all(self) -> None:
        """Ends every request; their clients are told so."""
        for stream in self._streams:
            stream.cancel()


async def _cancel_when_gone(receive: Receive, together: Together) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    together.cancel()
