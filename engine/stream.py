"""A request's events, delivered on the asker's own loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from engine.events import Event, Failed, Finished, ReasoningDelta, TextDelta, ToolCallDelta


class RequestStream:
    """The events of one request, as an async iterator on the loop that submitted it.

    It ends after `Finished` or `Failed`. What piled up in one channel while the asker was away comes as one delta.
    Leaving the `async with` block early cancels the request. `cancel` may be called from any thread; everything
    else belongs to the asker's loop.
    """

    def __init__(self, request_id: str, loop: asyncio.AbstractEventLoop, cancel: Callable[[str], None]) -> None:
        self.request_id = request_id
        self._loop = loop
        self._cancel = cancel
        self._lock = threading.Lock()
        self._pending: deque[Event] = deque()
        self._woken = False
        self._closed = False
        self._ended = False
        self._arrived = asyncio.Event()
        self._over = asyncio.Event()  # the last event has arrived

    def deliver(self, events: Sequence[Event]) -> None:
        """Called by the engine, from its own threads. One wake-up serves all that arrives before the asker runs."""
        deliver_all([(self, events)])

    def _put(self, events: Sequence[Event]) -> bool:
        """Whether the asker must be woken for them."""
        with self._lock:
            if self._closed:
                return False
            self._pending.extend(events)
            must_wake, self._woken = not self._woken or any(map(_is_last, events[-1:])), True
        return must_wake

    @property
    def last(self) -> Event | None:
        """The last event once it has arrived, while nobody has taken it. Any thread."""
        with self._lock:
            return self._pending[-1] if self._pending and _is_last(self._pending[-1]) else None

    def cancel(self) -> None:
        """Ends the request within one step; its last event still arrives. Idempotent, from any thread."""
        self._cancel(self.request_id)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._ended:
            raise StopAsyncIteration
        while (event := self._take()) is None:
            await self._arrived.wait()
        self._ended = _is_last(event)
        return event

    async def coalesce(self, seconds: float) -> None:
        """Lets events pile up for so long, to be taken together; less long where the last one comes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    def _wake(self) -> None:
        self._arrived.set()
        with self._lock:
            if self._pending and _is_last(self._pending[-1]):
                self._over.set()

    def _take(self) -> Event | None:
        """The next event, with neighbouring text joined; None where the asker must wait."""
        with self._lock:
            if not self._pending:
                self._arrived.clear()
                self._woken = False
                return None
            event = self._pending.popleft()
            deltas = [event]
            while self._pending and _continues(event, self._pending[0]):
                deltas.append(self._pending.popleft())
            return joined(deltas) if len(deltas) > 1 else event

    async def collect(self) -> tuple[str, Finished]:
        """The answer's whole text, without reasoning and calls. Raises the request's `EngineError` where it failed."""
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
    """What several streams get at once, as of one step: each loop is woken once, not once for each stream. Called by
    the engine, from its own threads."""
    waking: dict[asyncio.AbstractEventLoop, list[RequestStream]] = {}
    for stream, events in deliveries:
        if stream._put(events):
            waking.setdefault(stream._loop, []).append(stream)
    for loop, streams in waking.items():
        try:
            loop.call_soon_threadsafe(_wake, streams)
        except RuntimeError:  # the askers' loop is closed: nobody is left to read
            for stream in streams:
                stream._closed = True


def _wake(streams: Sequence[RequestStream]) -> None:
    for stream in streams:
        stream._wake()


def _is_last(event: Event) -> bool:
    return isinstance(event, Finished | Failed)


def _continues(event: Event, following: Event) -> bool:
    """Whether both are deltas of one channel."""
    match event, following:
        case (TextDelta(), TextDelta()) | (ReasoningDelta(), ReasoningDelta()):
            return True
        case ToolCallDelta(index=index), ToolCallDelta(index=same):
            return index == same
    return False


def joined(deltas: Sequence[Event]) -> Event:
    """What several deltas of one channel say, as one."""
    texts = [each for each in deltas if isinstance(each, TextDelta)]
    thoughts = [each for each in deltas if isinstance(each, ReasoningDelta)]
    calls = [each for each in deltas if isinstance(each, ToolCallDelta)]
    if texts:
        choices = tuple(choice for each in texts for choice in each.choices)
        return TextDelta("".join(each.text for each in texts), sum(each.n_tokens for each in texts), choices)
    if thoughts:
        return ReasoningDelta("".join(each.text for each in thoughts), sum(each.n_tokens for each in thoughts))
    return ToolCallDelta(calls[0].index, "".join(each.arguments for each in calls))
