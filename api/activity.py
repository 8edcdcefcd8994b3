"""The requests that tools have under way: each is ended when its client leaves, all when the server stops."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Protocol, TypeVar

from starlette.types import Receive, Scope

from api.errors import QueueFull, RequestStopped
from api.keyring import ENDPOINT_KEY_NAME, KeyHolder, KeyRing
from api.merged_stream import MergedStream
from api.request_record import KEYS, QueryFinished, RequestRecord, RequestView, State, at_end, client_info, holder_of
from api.totals import KeyUsage, Totals
from engine.engine import Engine
from engine.errors import EngineError
from engine.events import Embeddings, Event, Finished
from engine.request_state import RequestProgress
from engine.requests import EmbedRequest, Request
from engine.stream import RequestStream

MAX_REMEMBERED = 200
"""Calls that have ended."""

KEY_CHECK_S = 1.0
"""How often it is looked whether a tool's key has been revoked while its request is under way."""

Result = TypeVar("Result")


class Activity:
    """Belongs to the endpoint's loop; `calls`, `usage`, `said`, `stop`, `cancel_all` and `forget_bodies` to
    any thread."""

    def __init__(self, max_requests: int) -> None:
        """`max_requests` may be under way at once, those that wait for their turn among them."""
        self.totals = Totals()
        self._usage: dict[KeyHolder, KeyUsage] = {}
        self._max_requests = max_requests
        self._streams: dict[RequestStream, Request] = {}
        self._calls: dict[str, RequestRecord] = {}
        self._ended: deque[RequestRecord] = deque(maxlen=MAX_REMEMBERED)
        self.on_change: Callable[[], None] = lambda: None
        """Called on the endpoint's loop when a call begins or ends; it must be quick."""
        self.before_submit: Callable[[], Awaitable[None]] = _nothing
        """Awaited just before a call is given to the engine; what it raises, the call does."""

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def requests(self) -> list[Request]:
        """What is answered now, the oldest first."""
        return list(self._streams.values())

    @property
    def calls(self) -> list[RequestView]:
        """What is under way now, the oldest first, then what has ended, the newest first."""
        return [call.view() for call in self._all()]

    def calls_of(self, holder: KeyHolder) -> list[RequestView]:
        """As `calls`, of those that `holder` may see."""
        return [call.view() for call in self._all() if holder.owns(call.caller.holder.id)]

    def _all(self) -> list[RequestRecord]:
        return [*list(self._calls.values()), *reversed(list(self._ended))]

    @property
    def usage(self) -> dict[str, KeyUsage]:
        """What has ended by now, by the name of the key that it came with."""
        return self.usage_of(KeyHolder(ENDPOINT_KEY_NAME))

    def usage_of(self, holder: KeyHolder) -> dict[str, KeyUsage]:
        """As `usage`, of the keys that `holder` may see."""
        found: dict[str, KeyUsage] = {}
        for each, used in list(self._usage.items()):
            if holder.owns(each.id):
                found.setdefault(each.name, KeyUsage()).add(used)
        return found

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
    ) -> AsyncIterator[MergedStream]:
        """Submits the requests of one client for as long as the block runs and the client stays.

        When the client leaves, the engine is told at once, and the streams end by themselves with `Finished`: also
        while a prompt is read, or a whole answer collected. Raises QueueFull, and what `Engine.submit` raises."""
        await self.before_submit()
        self._check_room(len(requests))
        requests = [replace(request, owner=client_info(scope).key) for request in requests]
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

            together = MergedStream(streams, on_end, on_text)
            watch = asyncio.create_task(_cancel_when_gone(scope, receive, together), name=f"client of {requests[0].id}")
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
        """The vectors, for a client that stays. Raises what `Engine.embed` raises, QueueFull and RequestStopped."""
        return await self._run(request.id, lambda: engine.embed(request), "embedding", scope, receive)

    async def query(
        self,
        request_id: str,
        work: Callable[[], Coroutine[None, None, Result]],
        scope: Scope,
        receive: Receive,
        *,
        answer_follows: bool = False,
    ) -> Result:
        """What `work` finds out about the model, for a client that stays. Raises what it raises, QueueFull and
        RequestStopped. `answer_follows`: a request of the same id follows, and is remembered in its place."""
        return await self._run(request_id, work, "reading", scope, receive, remembered=not answer_follows)

    async def _run(
        self,
        request_id: str,
        work: Callable[[], Coroutine[None, None, Result]],
        state: State,
        scope: Scope,
        receive: Receive,
        *,
        remembered: bool = True,
    ) -> Result:
        await self.before_submit()
        self._check_room(1)
        task = asyncio.create_task(work(), name=f"{state} {request_id}")
        loop = asyncio.get_running_loop()
        call = RequestRecord(
            request_id, client_info(scope), lambda: loop.call_soon_threadsafe(task.cancel), lambda: None, state
        )
        self._take(call)
        watch = asyncio.create_task(_cancel_when_gone(scope, receive, task), name=f"client of {request_id}")
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
                result = task.result()
                call.end(result if isinstance(result, Embeddings) else QueryFinished())
            self._end(call, remembered or not isinstance(call.last, QueryFinished))
        if task.cancelled():
            raise RequestStopped
        return task.result()

    def stop(self, call_id: str, holder: KeyHolder | None = None) -> bool:
        """Ends one call; its client gets an error. False where there is none of this id that `holder` may end."""
        call = self._calls.get(call_id)
        if call is None or not (holder is None or holder.owns(call.caller.holder.id)):
            return False
        call.cancel()
        return True

    def cancel_all(self, holder: KeyHolder | None = None) -> int:
        """Ends every call that `holder` may end; their clients get an error. Returns how many there were."""
        calls = [call for call in list(self._calls.values()) if holder is None or holder.owns(call.caller.holder.id)]
        for call in calls:
            call.cancel()
        return len(calls)

    def _check_room(self, n: int) -> None:
        """A call that asks for more than all places together is let in alone."""
        if self._calls and len(self._calls) + n > self._max_requests:
            raise QueueFull

    def _begin(self, engine: Engine, stream: RequestStream, scope: Scope) -> RequestRecord:
        call_id = stream.request_id

        def progress() -> RequestProgress | None:
            last = stream.last
            # The engine has forgotten an answer whose end still waits for a slow reader.
            return at_end(last) if isinstance(last, Finished) else engine.progress(call_id)

        call = RequestRecord(call_id, client_info(scope), stream.cancel, progress, "writing")
        self._take(call)
        return call

    def _take(self, call: RequestRecord) -> None:
        self._calls[call.id] = call
        self.on_change()

    def _end(self, call: RequestRecord, remembered: bool = True) -> None:
        call.end()
        del self._calls[call.id]
        if remembered:
            self._remember(call)
        self.on_change()

    def _remember(self, call: RequestRecord) -> None:
        self._ended.append(call)
        self._usage.setdefault(call.caller.holder, KeyUsage()).count(call.view())


async def _nothing() -> None:
    pass


class _Cancellable(Protocol):
    def cancel(self) -> object: ...


async def _cancel_when_gone(scope: Scope, receive: Receive, what: _Cancellable) -> None:
    """Once the client has left, or its key has been revoked."""
    holder, keys = holder_of(scope), scope.get(KEYS)
    interval_s = None if holder.sees_all or not isinstance(keys, KeyRing) else KEY_CHECK_S
    while True:
        try:
            async with asyncio.timeout(interval_s):
                message = await receive()
        except TimeoutError:
            if isinstance(keys, KeyRing) and not keys.is_valid(holder):
                break
        else:
            if message["type"] == "http.disconnect":
                break
    what.cancel()
