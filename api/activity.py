"""The requests that tools have under way: each is ended when its client leaves, all when the server stops."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Protocol

from starlette.types import Receive, Scope

from api.call import Call, CallView, caller_of
from api.errors import QueueFull, StoppedHere
from api.together import Together
from api.totals import KeyUsage, Totals
from engine.engine import Engine
from engine.errors import EngineError
from engine.events import Embeddings, Event
from engine.requests import EmbedRequest, Request
from engine.stream import RequestStream

MAX_REMEMBERED = 200
"""Calls that have ended."""


class Activity:
    """Belongs to the endpoint's loop; `calls`, `usage`, `said`, `stop`, `cancel_all` and `forget_bodies` to
    any thread."""

    def __init__(self, max_requests: int) -> None:
        """`max_requests` may be under way at once, those that wait for their turn among them."""
        self.totals = Totals()
        self._usage: dict[str, KeyUsage] = {}
        self._max_requests = max_requests
        self._streams: dict[RequestStream, Request] = {}
        self._calls: dict[str, Call] = {}
        self._ended: deque[Call] = deque(maxlen=MAX_REMEMBERED)
        self.on_change: Callable[[], None] = lambda: None
        """Called on the endpoint's loop when a call begins or ends; it must be quick."""
        self.make_ready: Callable[[], Awaitable[None]] = _nothing
        """Awaited just before a call is given to the engine; what it raises, the call does."""

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def requests(self) -> list[Request]:
        """What is answered now, the oldest first."""
        return list(self._streams.values())

    @property
    def calls(self) -> list[CallView]:
        """What is under way now, the oldest first, then what has ended, the newest first."""
        return [call.view() for call in (*list(self._calls.values()), *reversed(list(self._ended)))]

    @property
    def usage(self) -> dict[str, KeyUsage]:
        """What has ended by now, by the name of the key that it came with."""
        return {name: replace(used) for name, used in list(self._usage.items())}

    def said(self, call_id: str) -> str:
        """The text of a call's answer as far as it has come; "" where bodies are not kept."""
        calls = (*list(self._calls.values()), *list(self._ended))
        return next(("".join(list(call.said)) for call in calls if call.id == call_id), "")

    def forget_bodies(self) -> None:
        """Nothing that was asked or answered so far is kept any longer."""
        for call in (*list(self._calls.values()), *list(self._ended)):
            call.caller = replace(call.caller, body=None)
            call.said = []

    @asynccontextmanager
    async def ask(
        self, engine: Engine, requests: Sequence[Request], scope: Scope, receive: Receive
    ) -> AsyncIterator[Together]:
        """Submits the requests of one client for as long as the block runs and the client stays.

        When the client leaves, the engine is told at once, and the streams end by themselves with `Finished`: also
        while a prompt is read, or a whole answer collected. Raises QueueFull, and what `Engine.submit` raises."""
        await self.make_ready()
        self._check_room(len(requests))
        requests = [replace(request, owner=caller_of(scope).key) for request in requests]
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(engine.submit(request)) for request in requests]
            calls = [self._begin(engine, stream, scope) for stream in streams]

            def on_end(place: int, last: Event) -> None:
                self.totals.count(last)
                calls[place].end(last)

            self._streams.update(zip(streams, requests, strict=True))

            def on_text(place: int, text: str) -> None:
                if calls[place].caller.body is not None:
                    calls[place].said.append(text)

            together = Together(streams, on_end, on_text)
            watch = asyncio.create_task(_cancel_when_gone(receive, together), name=f"client of {requests[0].id}")
            try:
                yield together
            finally:
                for stream, call in zip(streams, calls, strict=True):
                    del self._streams[stream]
                    self._end(call)
                watch.cancel()
                await asyncio.wait({watch})
                await together.aclose()

    async def embed(self, engine: Engine, request: EmbedRequest, scope: Scope, receive: Receive) -> Embeddings:
        """The vectors, for a client that stays. Raises what `Engine.embed` raises, QueueFull and StoppedHere."""
        await self.make_ready()
        self._check_room(1)
        task = asyncio.create_task(engine.embed(request), name=f"embedding {request.id}")
        loop = asyncio.get_running_loop()
        call = Call(request.id, caller_of(scope), lambda: loop.call_soon_threadsafe(task.cancel), lambda: None)
        self._take(call)
        watch = asyncio.create_task(_cancel_when_gone(receive, task), name=f"client of {request.id}")
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            watch.cancel()
            await asyncio.wait({watch, task})
            error = None if task.cancelled() else task.exception()
            if isinstance(error, EngineError):
                call.end(error)
            elif error is None and not task.cancelled():
                call.end(task.result())
            self._end(call)
        if task.cancelled():
            raise StoppedHere
        return task.result()

    def stop(self, call_id: str) -> bool:
        """Ends one call; its client is told so. False where there is none of this id."""
        call = self._calls.get(call_id)
        if call is not None:
            call.cancel()
        return call is not None

    def cancel_all(self) -> int:
        """Ends every call; their clients are told so. How many there were."""
        calls = list(self._calls.values())
        for call in calls:
            call.cancel()
        return len(calls)

    def _check_room(self, n: int) -> None:
        """A call that asks for more than all places together is let in alone."""
        if self._calls and len(self._calls) + n > self._max_requests:
            raise QueueFull

    def _begin(self, engine: Engine, stream: RequestStream, scope: Scope) -> Call:
        call_id = stream.request_id
        call = Call(call_id, caller_of(scope), stream.cancel, lambda: engine.progress(call_id))
        self._take(call)
        return call

    def _take(self, call: Call) -> None:
        self._calls[call.id] = call
        self.on_change()

    def _end(self, call: Call) -> None:
        call.end()
        del self._calls[call.id]
        self._ended.append(call)
        self._usage.setdefault(call.caller.key, KeyUsage()).count(call.view())
        self.on_change()


async def _nothing() -> None:
    pass


class _Cancellable(Protocol):
    def cancel(self) -> object: ...


async def _cancel_when_gone(receive: Receive, what: _Cancellable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    what.cancel()
