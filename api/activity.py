"""Runs client requests. A request is cancelled when its client disconnects, and all requests are cancelled when the
server stops.

Every request has a record, which /v1/activity and the app's window show.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Protocol, TypeVar

from starlette.types import Receive, Scope

from api.authentication import OWNER, KeyHolder, KeyRing
from api.errors import QueueFull, RequestStopped
from api.key_quotas import KeyQuotas
from api.request_record import (
    KEYS,
    KeyUsage,
    ModelNames,
    QueryFinished,
    RequestRecord,
    RequestView,
    State,
    Totals,
    client_info,
    final_progress,
    holder_of,
)
from api.streaming import MergedStream
from engine.chat_engine import ChatEngine
from engine.errors import EngineError
from engine.events import Embeddings, Event, Finished, Scores
from engine.request_state import RequestProgress
from engine.requests import EmbedRequest, Request
from engine.stream import RequestStream

MAX_ENDED_RECORDS = 200

KEY_CHECK_INTERVAL_S = 1.0
"""Interval at which the named key of a running request is checked, because it may have been revoked."""

T = TypeVar("T")
Prepare = Callable[[], Awaitable[None]]
"""Is awaited before a request is submitted. If it raises an exception, the request fails with that."""


async def nothing() -> None:
    """Prepares nothing."""


class Activity:
    """Runs and records client requests.

    `views`, `usage`, `answer_text`, `stop`, `cancel_all` and `forget_bodies` may be called on any thread, the other
    methods only on the endpoint's event loop."""

    def __init__(self, max_requests: int) -> None:
        """`max_requests`: maximum number of requests in progress, including queued ones."""
        self.totals = Totals()
        self._usage: dict[KeyHolder, KeyUsage] = {}
        self._quotas = KeyQuotas()
        self._max_requests = max_requests
        self._running: dict[str, RequestRecord] = {}
        self._ended: deque[RequestRecord] = deque(maxlen=MAX_ENDED_RECORDS)
        self.on_change: Callable[[], None] = lambda: None
        """Called on the endpoint's event loop when a request begins or ends. Must return quickly."""

    def __len__(self) -> int:
        """Number of requests in progress."""
        return len(self._running)

    @property
    def requests(self) -> list[Request]:
        """The engine's `Request` objects of all answers in progress, the oldest first. Embeddings and queries have no
        such object."""
        return [record.request for record in self._running.values() if record.request is not None]

    def views(self, holder: KeyHolder = OWNER) -> list[RequestView]:
        """The requests that `holder` may see. Requests in progress precede ended ones. Those in progress begin with the
        oldest request, the ended ones with the newest."""
        return [record.view() for record in self._records() if holder.owns(record.client.holder.id)]

    def usage(self, holder: KeyHolder = OWNER) -> dict[str, KeyUsage]:
        """Maps the name of each key that `holder` may see to its number of requests and tokens. Counts ended requests
        only."""
        found: dict[str, KeyUsage] = {}
        for each, used in list(self._usage.items()):
            if holder.owns(each.id):
                found.setdefault(each.name, KeyUsage()).add(used)
        return found

    def answer_text(self, request_id: str) -> str:
        """The text of a request's answer so far; empty if the setting `keep_bodies` is off, or if the id is unknown."""
        return next(("".join(list(record.texts)) for record in self._records() if record.id == request_id), "")

    def forget_bodies(self) -> None:
        """Deletes all stored request bodies and answer texts."""
        for record in self._records():
            record.client = replace(record.client, body=None)
            record.texts = []

    def stop(self, request_id: str, holder: KeyHolder = OWNER) -> bool:
        """Cancels one request, whose client gets an error. Returns False if `holder` owns no request in progress with
        this id."""
        record = self._running.get(request_id)
        if record is None or not holder.owns(record.client.holder.id):
            return False
        record.cancel()
        return True

    def cancel_all(self, holder: KeyHolder = OWNER) -> int:
        """Cancels every request in progress that `holder` owns, and returns their number. Their clients get an
        error."""
        records = [record for record in list(self._running.values()) if holder.owns(record.client.holder.id)]
        for record in records:
            record.cancel()
        return len(records)

    @asynccontextmanager
    async def submit(
        self,
        engine: ChatEngine,
        requests: Sequence[Request],
        scope: Scope,
        receive: Receive,
        prepare: Prepare = nothing,
    ) -> AsyncIterator[MergedStream]:
        """Submits the `requests` of one client to the engine. The requests can run until the `async with` block ends.

        When the client disconnects, its requests are cancelled at once, even while a prompt is being processed. Each
        stream then ends with `Finished`. `prepare` is awaited first. Raises QueueFull, and the exceptions of `prepare`
        and `ChatEngine.submit`."""
        await prepare()
        self._check_room(len(requests), holder_of(scope))
        owner = holder_of(scope).name
        async with AsyncExitStack() as stack:
            streams = [
                await stack.enter_async_context(engine.submit(replace(request, owner=owner))) for request in requests
            ]
            pairs = zip(requests, streams, strict=True)
            records = [self._add(_stream_record(engine, request, stream, scope)) for request, stream in pairs]

            def on_event(index: int, event: Event) -> None:
                records[index].add(event)
                self.totals.count(event)

            merged = MergedStream(streams, on_event)
            watch = asyncio.create_task(_cancel_when_gone(scope, receive, merged), name=f"client of {requests[0].id}")
            try:
                yield merged
            finally:
                for record in records:
                    self._end(record)
                watch.cancel()
                await asyncio.wait({watch})

    async def embed(
        self,
        engine: ChatEngine,
        request: EmbedRequest,
        scope: Scope,
        receive: Receive,
        names: ModelNames,
        prepare: Prepare,
    ) -> Embeddings:
        """Computes embeddings for one client. Raises QueueFull, RequestStopped, and the exceptions of `prepare` and
        `ChatEngine.embed`."""
        await prepare()
        return await self._run(request.id, lambda: engine.embed(request), "embedding", scope, receive, names)

    async def query(
        self,
        request_id: str,
        work: Callable[[], Coroutine[None, None, T]],
        scope: Scope,
        receive: Receive,
        *,
        answer_follows: bool = False,
        prepare: Prepare = nothing,
        names: ModelNames = ModelNames(),
    ) -> T:
        """Runs a query about the model, such as counting tokens.

        `answer_follows`: the query prepares an answer with the same id. If the query succeeds, only the answer is
        recorded. Raises QueueFull, RequestStopped, and the exceptions of `prepare` and `work`."""
        await prepare()
        return await self._run(request_id, work, "reading", scope, receive, names, recorded=not answer_follows)

    async def _run(
        self,
        request_id: str,
        work: Callable[[], Coroutine[None, None, T]],
        state: State,
        scope: Scope,
        receive: Receive,
        names: ModelNames,
        *,
        recorded: bool = True,
    ) -> T:
        """Runs `work` as a task, which is cancelled when the client disconnects or the client's key is revoked."""
        self._check_room(1, holder_of(scope))
        task = asyncio.create_task(work(), name=f"{state} {request_id}")
        loop = asyncio.get_running_loop()

        def cancel() -> None:
            loop.call_soon_threadsafe(task.cancel)

        record = self._add(RequestRecord(request_id, client_info(scope), cancel, lambda: None, state, names=names))
        watch = asyncio.create_task(_cancel_when_gone(scope, receive, task), name=f"client of {request_id}")
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            watch.cancel()
            await asyncio.wait({watch, task})
            _end_with_task(record, task)
            self._end(record, recorded or not isinstance(record.result, QueryFinished))
        if task.cancelled():
            raise RequestStopped
        return task.result()

    def _check_room(self, n: int, holder: KeyHolder) -> None:
        """Raises QueueFull if `n` more requests would exceed the limit. If no request is in progress, any number is
        accepted. Raises KeyLimitReached."""
        self._quotas.check(n, holder, self._running.values())
        if self._running and len(self._running) + n > self._max_requests:
            raise QueueFull

    def _records(self) -> list[RequestRecord]:
        return [*list(self._running.values()), *reversed(list(self._ended))]

    def _add(self, record: RequestRecord) -> RequestRecord:
        self._running[record.id] = record
        self.on_change()
        return record

    def _end(self, record: RequestRecord, recorded: bool = True) -> None:
        record.end()
        del self._running[record.id]
        if recorded:
            self._ended.append(record)
            view = record.view()
            self._usage.setdefault(record.client.holder, KeyUsage()).count(view)
            self._quotas.count(record.client.holder, view)
        self.on_change()


def _stream_record(engine: ChatEngine, request: Request, stream: RequestStream, scope: Scope) -> RequestRecord:
    def progress() -> RequestProgress | None:
        last = stream.last
        # The engine deletes its progress report on an answer when the answer ends, even if a slow client has not yet
        # read the last event.
        return final_progress(last) if isinstance(last, Finished) else engine.progress(request.id)

    return RequestRecord(
        request.id,
        client_info(scope),
        stream.cancel,
        progress,
        "writing",
        request,
        names=ModelNames.of(engine.status.model),
    )


def _end_with_task(record: RequestRecord, task: asyncio.Task[T]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if isinstance(error, EngineError):
        record.end(error)
    elif error is None:
        result = task.result()
        record.end(result if isinstance(result, Embeddings | Scores) else QueryFinished())


class _Cancellable(Protocol):
    def cancel(self) -> object: ...


async def _cancel_when_gone(scope: Scope, receive: Receive, running: _Cancellable) -> None:
    """Cancels `running` when the client disconnects or the client's key is revoked."""
    holder, keys = holder_of(scope), scope.get(KEYS)
    interval_s = None if holder.sees_all or not isinstance(keys, KeyRing) else KEY_CHECK_INTERVAL_S
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
    running.cancel()
