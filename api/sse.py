"""A streamed answer as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.activity import Activity
from api.errors import StoppedHere
from engine.engine import Engine
from engine.events import Event, Failed, Finished
from engine.requests import Request
from engine.stream import RequestStream

PING = b":\n\n"
"""A comment. Anything more (`id:`, `retry:`, an empty `data:`) breaks clients in use."""

# JSON may hold these as they are, but many clients take them for the end of a line.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def data_frame(payload: Mapping[str, object]) -> bytes:
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"data: {text.translate(_LINE_ENDS)}\n\n".encode()


class EventWriter(Protocol):
    """A dialect's way to write the engine's events."""

    def frames(self, event: Event) -> bytes:
        """What `event` puts on the wire; a `Failed` or cancelled end becomes an error event. May be empty."""


class EventStream(Response):
    """Submits `request` and streams its events.

    The headers wait for the engine's first event, so that what goes wrong before the first token is raised
    (EngineError, StoppedHere) and becomes a plain HTTP error. The engine is freed whatever ends the response."""

    def __init__(
        self, engine: Engine, activity: Activity, request: Request, writer: EventWriter, ping_interval_s: float
    ) -> None:
        # Response.__init__ is for a body that is known.
        self.status_code = 200
        self.background = None
        self.raw_headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        self._engine = engine
        self._activity = activity
        self._request = request
        self._writer = writer
        self._ping_interval_s = ping_interval_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._activity.ask(self._engine, self._request, receive) as stream:
            first = await anext(stream)
            match first:
                case Failed(error=error):
                    raise error
                case Finished(reason="cancelled"):
                    raise StoppedHere
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _write(send, self._writer.frames(first))
            await self._pump(stream, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pump(self, stream: RequestStream, send: Send) -> None:
        while True:
            try:
                async with asyncio.timeout(self._ping_interval_s):
                    event = await anext(stream)
            except TimeoutError:
                await _write(send, PING)
            except StopAsyncIteration:
                return
            else:
                await _write(send, self._writer.frames(event))


async def _write(send: Send, frames: bytes) -> None:
    if frames:
        await send({"type": "http.response.body", "body": frames, "more_body": True})
