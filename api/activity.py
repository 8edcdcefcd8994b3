"""The requests that tools have under way: each is ended when its client leaves, all when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive

from engine.engine import Engine
from engine.requests import Request
from engine.stream import RequestStream


class Activity:
    """Belongs to the endpoint's loop."""

    def __init__(self) -> None:
        self._streams: set[RequestStream] = set()

    def __len__(self) -> int:
        return len(self._streams)

    @asynccontextmanager
    async def ask(self, engine: Engine, request: Request, receive: Receive) -> AsyncIterator[RequestStream]:
        """Submits a request for as long as the block runs and its client stays.

        When the client leaves, the engine is told at once, and the stream ends by itself with `Finished`: also
        while a prompt is read, or a whole answer collected. Raises what `Engine.submit` raises."""
        async with engine.submit(request) as stream:
            self._streams.add(stream)
            watch = asyncio.create_task(_cancel_when_gone(receive, stream), name=f"client of {request.id}")
            try:
                yield stream
            finally:
                self._streams.discard(stream)
                watch.cancel()
                await asyncio.wait({watch})

    def cancel_all(self) -> None:
        """Ends every request; their clients are told so."""
        for stream in self._streams:
            stream.cancel()


async def _cancel_when_gone(receive: Receive, stream: RequestStream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.cancel()
