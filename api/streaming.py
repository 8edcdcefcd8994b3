"""Streamed answers as server-sent events, or as one JSON object per line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, Self

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.answer import Answer, AnswerBuilder, error_of, schema_headers
from api.error_bodies import openai_body, problem_of
from engine.events import Event, Failed, Finished, Started
from engine.stream import RequestStream

REPORT_INTERVAL_S = 0.5
"""Interval between two reports on the progress of a prompt."""


@dataclass(frozen=True, slots=True)
class Framing:
    """The format of a stream. `ping`: bytes that keep an idle connection open, and that clients ignore."""

    media_type: str
    ping: bytes


# The ping is a comment. Anything else (`id:`, `retry:`, an empty `data:`) breaks some clients.
SSE = Framing("text/event-stream", b":\n\n")
# There are no pings, because clients parse every line as JSON.
NDJSON = Framing("application/x-ndjson", b"")

# These characters are legal within JSON strings, but many clients treat them as the end of a line.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def json_text(payload: Mapping[str, object]) -> str:
    """Encodes JSON on one line, even for clients that split lines at Unicode line separators."""
    return json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_LINE_ENDS)


def data_frame(payload: Mapping[str, object]) -> bytes:
    return f"data: {json_text(payload)}\n\n".encode()


def event_frame(name: str, payload: Mapping[str, object]) -> bytes:
    return f"event: {name}\ndata: {json_text(payload)}\n\n".encode()


def line_frame(payload: Mapping[str, object]) -> bytes:
    return f"{json_text(payload)}\n".encode()


def openai_error_frame(error: Exception) -> bytes:
    return data_frame(openai_body(problem_of(error)))


class MergedStream:
    """Merges the events of several requests in order of arrival. Yields each event with the index of its request.

    Used on the endpoint's event loop only. `anext` is cancellation-safe."""

    def __init__(self, streams: Sequence[RequestStream], on_event: Callable[[int, Event], None]) -> None:
        """`on_event` is called with each event before it is yielded."""
        self._streams = streams
        self._on_event = on_event
        self._waiting: dict[asyncio.Task[Event | None], int] = {}
        self._single = streams[0] if len(streams) == 1 else None

    def __len__(self) -> int:
        """Number of requests."""
        return len(self._streams)

    def cancel(self) -> None:
        """Cancels every request within one decode step of the engine. The last event of each request is still
        yielded."""
        for stream in self._streams:
            stream.cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[int, Event]:
        if self._single is not None:
            index, event = 0, await anext(self._single)
        else:
            index, event = await self._next_of_several()
        self._on_event(index, event)
        return index, event

    async def _next_of_several(self) -> tuple[int, Event]:
        if not self._waiting:
            self._waiting = {_next_event(stream): index for index, stream in enumerate(self._streams)}
        while self._waiting:
            done, _ = await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)
            task = min(done, key=self._waiting.__getitem__)
            index, event = self._waiting.pop(task), task.result()
            if event is not None:
                self._waiting[_next_event(self._streams[index])] = index
                return index, event
        self._streams = ()
        raise StopAsyncIteration

    async def collect(self) -> list[Answer]:
        """Returns the complete answers, in the order of the requests. Raises the exceptions of `AnswerBuilder.add`."""
        builders = [AnswerBuilder() for _ in self._streams]
        answers: dict[int, Answer] = {}
        async for index, event in self:
            answer = builders[index].add(event)
            if answer is not None:
                answers[index] = answer
        return [answers[index] for index in range(len(builders))]

    async def aclose(self) -> None:
        for task in self._waiting:
            task.cancel()
        if self._waiting:
            await asyncio.wait(self._waiting)


def _next_event(stream: RequestStream) -> asyncio.Task[Event | None]:
    async def next_or_none() -> Event | None:
        return await anext(stream, None)

    return asyncio.ensure_future(next_or_none())


class EventWriter(Protocol):
    """Encodes the engine's events in one dialect."""

    def frames(self, index: int, event: Event) -> bytes:
        """Returns the bytes to send for `event` of the request at `index`; may be empty.

        `Failed` and a cancelled `Finished` are encoded as an error."""


OpenStream = Callable[[Scope, Receive], AbstractAsyncContextManager[MergedStream]]


class EventStreamResponse(Response):
    """Submits requests with `open_stream`, and streams their events as `writer` encodes them.

    The headers are sent with the first event. An error before the first event (EngineError, RequestStopped) is raised,
    and becomes a plain HTTP error. When the response ends for any reason, its requests end too.

    `ends_on_thread`: the writer gets `Finished` on another thread, because the writer then writes to disk.

    `report(index)` returns a progress report on a request. Reports are sent every REPORT_INTERVAL_S until the first
    event, and once more with that event. If the headers are sent with a report, they do not list the schema keywords
    that are not enforced, because these are not known yet."""

    def __init__(
        self,
        open_stream: OpenStream,
        writer: EventWriter,
        ping_interval_s: float,
        framing: Framing = SSE,
        *,
        ends_on_thread: bool = False,
        report: Callable[[int], bytes] | None = None,
    ) -> None:
        # Response.__init__ is not called, because it needs the whole body.
        self.status_code = 200
        self.background = None
        self.raw_headers = [
            (b"content-type", framing.media_type.encode()),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        self._open_stream = open_stream
        self._writer = writer
        self._ping_interval_s = ping_interval_s
        self._ping = framing.ping
        self._ends_on_thread = ends_on_thread
        self._report = report
        self._headers_sent = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._open_stream(scope, receive) as stream:
            index, event = await self._first_event(stream, send)
            if not self._headers_sent:
                match event:
                    case Failed() | Finished(reason="cancelled"):
                        raise error_of(event)
                await self._send_headers(send, event.not_enforced if isinstance(event, Started) else ())
            if self._report is not None and isinstance(event, Started):
                await _send_body(send, self._report(index))
            await _send_body(send, await self._frames(index, event))
            if not _is_failure(event):
                await self._send_events(stream, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _first_event(self, stream: MergedStream, send: Send) -> tuple[int, Event]:
        """Waits for the first event, and sends reports meanwhile."""
        if self._report is None:
            return await anext(stream)
        idle_s = 0.0
        while True:
            try:
                async with asyncio.timeout(REPORT_INTERVAL_S):
                    return await anext(stream)
            except TimeoutError:
                idle_s += REPORT_INTERVAL_S
            frames = b"".join(map(self._report, range(len(stream))))
            if frames and not self._headers_sent:
                await self._send_headers(send)
            if not frames and self._headers_sent and idle_s >= self._ping_interval_s:
                frames = self._ping
            if frames:
                idle_s = 0.0
            await _send_body(send, frames)

    async def _send_headers(self, send: Send, not_enforced: Sequence[str] = ()) -> None:
        self._headers_sent = True
        more = schema_headers(not_enforced=not_enforced)
        headers = [*self.raw_headers, *((name.encode(), value.encode()) for name, value in more.items())]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})

    async def _send_events(self, stream: MergedStream, send: Send) -> None:
        while True:
            try:
                async with asyncio.timeout(self._ping_interval_s):
                    index, event = await anext(stream)
            except TimeoutError:
                await _send_body(send, self._ping)
            except StopAsyncIteration:
                return
            else:
                await _send_body(send, await self._frames(index, event))
                if _is_failure(event):
                    return

    async def _frames(self, index: int, event: Event) -> bytes:
        if self._ends_on_thread and isinstance(event, Finished):
            return await asyncio.to_thread(self._writer.frames, index, event)
        return self._writer.frames(index, event)


def _is_failure(event: Event) -> bool:
    """Whether the event ends the whole response with an error, even if other choices are incomplete."""
    return isinstance(event, Failed) or (isinstance(event, Finished) and event.reason == "cancelled")


async def _send_body(send: Send, frames: bytes) -> None:
    if frames:
        await send({"type": "http.response.body", "body": frames, "more_body": True})
