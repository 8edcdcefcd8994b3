"""Delivery of a request's events to the event loop of its caller."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from engine.events import Event, Failed, Finished, PromptProgress, TextDelta, are_mergeable, merge_deltas


class RequestStream:
    """The events of one request, as an async iterator on the event loop that submitted the request.

    The iteration ends after `Finished` or `Failed`. Pending deltas of the same kind are merged. Leaving the `async
    with` block early cancels the request. `anext` is cancellation-safe.
    """

    def __init__(self, request_id: str, loop: asyncio.AbstractEventLoop, cancel: Callable[[str], None]) -> None:
        self.request_id = request_id
        self._loop = loop
        self._cancel = cancel
        self._lock = threading.Lock()
        self._pending: deque[Event] = deque()
        self._is_woken = False
        self._closed = False
        self._ended = False
        self._arrived = asyncio.Event()
        self._last_arrived = asyncio.Event()
        self.listener: Callable[[], None] | None = None
        """Called on the event loop after events have arrived. It is called again only after `poll` has returned None.
        Streams with the same listener share one call. It must not raise an exception."""

    def deliver(self, events: Sequence[Event]) -> None:
        """Adds events. The engine calls this on any thread. The event loop is woken only once for all events that are
        added before it runs."""
        deliver_all([(self, events)])

    def hold(self, events: Sequence[Event]) -> None:
        """Adds events without waking the event loop. They are read after the next call of `deliver`, or earlier if the
        event loop is already reading. The engine calls this on any thread."""
        with self._lock:
            if not self._closed:
                self._pending.extend(events)

    def _put(self, events: Sequence[Event]) -> bool:
        """Adds events. Returns whether the event loop must be woken."""
        with self._lock:
            if self._closed:
                return False
            self._pending.extend(events)
            needs_wake, self._is_woken = not self._is_woken or any(map(_is_last, events[-1:])), True
        return needs_wake

    @property
    def last(self) -> Event | None:
        """The last event of the request, if it has arrived and was not read yet; otherwise None. May be read on any
        thread."""
        with self._lock:
            return self._pending[-1] if self._pending and _is_last(self._pending[-1]) else None

    def cancel(self) -> None:
        """Cancels the request. It ends within one decode step, and its last event still arrives. Idempotent. May be
        called on any thread."""
        self._cancel(self.request_id)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._ended:
            raise StopAsyncIteration
        while (event := self.poll()) is None:
            await self._arrived.wait()
        return event

    def poll(self) -> Event | None:
        """Returns the next event without waiting, merged with the following deltas of the same kind. Returns None if no
        event is pending. Event loop of the stream only."""
        event = self._take()
        if event is not None and _is_last(event):
            self._ended = True
        return event

    async def coalesce(self, seconds: float) -> None:
        """Waits for `seconds`, so that events accumulate and are merged. Returns early when the request's last event
        arrives."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._last_arrived.wait()

    def _wake(self) -> None:
        self._arrived.set()
        with self._lock:
            if self._pending and _is_last(self._pending[-1]):
                self._last_arrived.set()

    def _take(self) -> Event | None:
        with self._lock:
            if not self._pending:
                self._arrived.clear()
                self._is_woken = False
                return None
            event = self._pending.popleft()
            while isinstance(event, PromptProgress) and self._pending and isinstance(self._pending[0], PromptProgress):
                event = self._pending.popleft()  # only the last report is of interest
            deltas = [event]
            while self._pending and are_mergeable(event, self._pending[0]):
                deltas.append(self._pending.popleft())
            return merge_deltas(deltas) if len(deltas) > 1 else event

    async def collect(self) -> tuple[str, Finished]:
        """Reads the stream to its end. Returns two values: the text (without reasoning and tool calls) and the last
        event. Raises the error of a `Failed` event."""
        texts: list[str] = []
        async for event in self:
            match event:
                case TextDelta(text=text):
                    texts.append(text)
                case Failed(error=error):
                    raise error
                case Finished():
                    return "".join(texts), event
        raise AssertionError("a stream always ends with Finished or Failed")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._ended:
            self.cancel()
        with self._lock:
            self._closed = True
            self._pending.clear()


def deliver_all(deliveries: Sequence[tuple[RequestStream, Sequence[Event]]]) -> None:
    """Adds the events of one step to several streams, and wakes each event loop once. The engine calls this on any
    thread."""
    waking: dict[asyncio.AbstractEventLoop, list[RequestStream]] = {}
    for stream, events in deliveries:
        if stream._put(events):
            waking.setdefault(stream._loop, []).append(stream)
    for loop, streams in waking.items():
        try:
            loop.call_soon_threadsafe(_wake, streams)
        except RuntimeError:  # the event loop is closed, so nothing reads these streams
            for stream in streams:
                stream._closed = True


def _wake(streams: Sequence[RequestStream]) -> None:
    for stream in streams:
        stream._wake()
    for listener in dict.fromkeys(stream.listener for stream in streams):
        if listener is not None:
            listener()


def _is_last(event: Event) -> bool:
    return isinstance(event, Finished | Failed)
