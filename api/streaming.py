"""A streamed answer: server-sent events, or a JSON object a line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.activity import Activity
from api.error_bodies import schema_headers
from api.errors import RequestStopped
from api.merged_stream import MergedStream
from engine.engine import Engine
from engine.events import Event, Failed, Finished, Started
from engine.requests import Request


@dataclass(frozen=True, slots=True)
class Framing:
    """`ping` says in silence that the stream lives."""

    media_type: str
    ping: bytes


# A comment. Anything more (`id:`, `retry:`, an empty `data:`) breaks clients in use.
SSE = Framing("text/event-stream", b":\n\n")
# Clients parse every line, so there is nothing that means nothing.
NDJSON = Framing("application/x-ndjson", b"")

# JSON may hold these as they are, but many clients take them for the end of a line.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def json_text(payload: Mapping[str, object]) -> str:
    """On one line, whoever counts the lines."""
    return json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_LINE_ENDS)


def data_frame(payload: Mapping[str, object]) -> bytes:
    return f"data: {json_text(payload)}\n\n".encode()


def event_frame(name: str, payload: Mapping[str, object]) -> bytes:
    return f"event: {name}\ndata: {json_text(payload)}\n\n".encode()


def line_frame(payload: Mapping[str, object]) -> bytes:
    return f"{json_text(payload)}\n".encode()


REPORT_INTERVAL_S = 0.5
"""Between two reports on a prompt that is being read."""


class EventWriter(Protocol):
    """A dialect's way to write the engine's events."""

    def frames(self, place: int, event: Event) -> bytes:
        """What `event` of the request at `place` puts on the wire; a `Failed` or cancelled end becomes an error.
        May be empty."""


class EventStreamResponse(Response):
    """Submits `requests` and streams their events.

    `ends_on_thread`: the writer takes the last event on another thread, since it writes to the disk then.

    `report`: what it returns for each place is sent every REPORT_INTERVAL_S until the first event, and once more
    with it. Headers that go out with a report do not name what of a schema is not enforced: that is known later.

    The headers wait for the engine's first event, so that what goes wrong before the first token is raised
    (EngineError, RequestStopped) and becomes a plain HTTP error. The engine is freed whatever ends the response."""

    def __init__(
        self,
        engine: Engine,
        activity: Activity,
        requests: Sequence[Request],
        writer: EventWriter,
        ping_interval_s: float,
        framing: Framing = SSE,
        *,
        ends_on_thread: bool = False,
        report: Callable[[int], bytes] | None = None,
    ) -> None:
        # Response.__init__ is for a body that is known.
        self.status_code = 200
        self.background = None
        self.raw_headers = [
            (b"content-type", framing.media_type.encode()),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        self._engine = engine
        self._activity = activity
        self._requests = requests
        self._writer = writer
        self._ping_interval_s = ping_interval_s
        self._ping = framing.ping
        self._ends_on_thread = ends_on_thread
        self._report = report
        self._has_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._activity.ask(self._engine, self._requests, scope, receive) as together:
            place, first = await self._first(together, send)
            if not self._has_begun:
                match first:
                    case Failed(error=error):
                        raise error
                    case Finished(reason="cancelled"):
                        raise RequestStopped
                await self._begin(send, first.not_enforced if isinstance(first, Started) else ())
            if self._report is not None and isinstance(first, Started):
                await _write(send, self._report(place))
            await _write(send, await self._frames(place, first))
            if not _ends_stream(first):
                await self._pump(together, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _first(self, together: MergedStream, send: Send) -> tuple[int, Event]:
        """The first event, after the reports on the way to it."""
        if self._report is None:
            return await anext(together)
        silent_s = 0.0
        while True:
            try:
                async with asyncio.timeout(REPORT_INTERVAL_S):
                    return await anext(together)
            except TimeoutError:
                silent_s += REPORT_INTERVAL_S
            frames = b"".join(map(self._report, range(len(self._requests))))
            if frames and not self._has_begun:
                await self._begin(send)
            if not frames and self._has_begun and silent_s >= self._ping_interval_s:
                frames = self._ping
            if frames:
                silent_s = 0.0
            await _write(send, frames)

    async def _begin(self, send: Send, not_enforced: Sequence[str] = ()) -> None:
        self._has_begun = True
        found = schema_headers(not_enforced=not_enforced)
        headers = [*self.raw_headers, *((name.encode(), value.encode()) for name, value in found.items())]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})

    async def _pump(self, together: MergedStream, send: Send) -> None:
        while True:
            try:
                async with asyncio.timeout(self._ping_interval_s):
                    place, event = await anext(together)
            except TimeoutError:
                await _write(send, self._ping)
            except StopAsyncIteration:
                return
            else:
                await _write(send, await self._frames(place, event))
                if _ends_stream(event):
                    return

    async def _frames(self, place: int, event: Event) -> bytes:
        if self._ends_on_thread and isinstance(event, Finished):
            return await asyncio.to_thread(self._writer.frames, place, event)
        return self._writer.frames(place, event)


def _ends_stream(event: Event) -> bool:
    """Whether it is an error, which ends the whole stream, also where other choices could go on."""
    return isinstance(event, Failed) or (isinstance(event, Finished) and event.reason == "cancelled")


async def _write(send: Send, frames: bytes) -> None:
    if frames:
        await send({"type": "http.response.body", "body": frames, "more_body": True})
