"""Streamed answers as server-sent events, or as one JSON object per line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Protocol, Self

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.answer import Answer, AnswerBuilder, error_of, schema_headers
from api.error_bodies import openai_body, problem_of
from engine.events import Event, Failed, Finished, Started
from engine.stream import RequestStream


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


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def json_text(payload: Mapping[str, object] | str) -> str:
    """Encodes JSON on one line, even for clients that split lines at Unicode line separators."""
    text = _encode(payload)
    return text if text.isascii() else text.translate(_LINE_ENDS)


def data_frame(payload: Mapping[str, object]) -> bytes:
    return f"data: {json_text(payload)}\n\n".encode()


def event_frame(name: str, payload: Mapping[str, object]) -> bytes:
    return f"event: {name}\ndata: {json_text(payload)}\n\n".encode()


def line_frame(payload: Mapping[str, object]) -> bytes:
    return f"{json_text(payload)}\n".encode()


_PLACEHOLDER = "\0"


class FrameTemplate:
    """A frame that is sent many times, and in which only one string changes."""

    def __init__(self, frame: Callable[[str], bytes]) -> None:
        """`frame` encodes the frame for a given string. Other strings must not follow in the frame."""
        self._before, _, self._after = frame(_PLACEHOLDER).rpartition(json_text(_PLACEHOLDER).encode())

    def frame(self, text: str) -> bytes:
        return self._before + json_text(text).encode() + self._after


def openai_error_frame(error: Exception) -> bytes:
    return data_frame(openai_body(problem_of(error)))


class MergedStream:
    """Merges the events of several requests in order of arrival. Yields each event with the index of its request.

    Used on the endpoint's event loop only. `anext` is cancellation-safe."""

    def __init__(self, streams: Sequence[RequestStream], on_event: Callable[[int, Event], None]) -> None:
        """`on_event` is called with each event before it is returned."""
        self._streams = streams
        self._on_event = on_event
        self._n_open = len(streams)
        self._turn = 0
        self._arrived = asyncio.Event()
        self.listen(self._arrived.set)

    def __len__(self) -> int:
        """Number of requests."""
        return len(self._streams)

    @property
    def has_ended(self) -> bool:
        """Whether the last event of every request was returned."""
        return not self._n_open

    def cancel(self) -> None:
        """Cancels every request within one decode step of the engine. The last event of each request is still
        yielded."""
        for stream in self._streams:
            stream.cancel()

    def listen(self, listener: Callable[[], None]) -> None:
        """Sets the function that is called after events have arrived. See `RequestStream.listener`."""
        for stream in self._streams:
            stream.listener = listener

    def poll(self) -> tuple[int, Event] | None:
        """Returns the next event without waiting; None if no event is pending. The requests take turns."""
        for _ in self._streams:
            index, self._turn = self._turn, (self._turn + 1) % len(self._streams)
            event = self._streams[index].poll()
            if event is not None:
                self._n_open -= isinstance(event, Finished | Failed)
                self._on_event(index, event)
                return index, event
        self._turn = 0
        return None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[int, Event]:
        while (found := self.poll()) is None:
            if self.has_ended:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return found

    async def collect(self) -> list[Answer]:
        """Returns the complete answers, in the order of the requests. Raises the exceptions of `AnswerBuilder.add`."""
        builders = [AnswerBuilder() for _ in self._streams]
        answers: dict[int, Answer] = {}
        async for index, event in self:
            answer = builders[index].add(event)
            if answer is not None:
                answers[index] = answer
        return [answers[index] for index in range(len(builders))]


class EventWriter(Protocol):
    """Encodes the engine's events in one dialect."""

    def frames(self, index: int, event: Event) -> bytes:
        """Returns the bytes to send for `event` of the request at `index`; may be empty.

        `Failed` and a cancelled `Finished` are encoded as an error."""


WRITE_BODY = "inglenook.write_body"
"""Name of the ASGI extension with which `EndpointProtocol` sends a part of a response at once. Its value is a
`WriteBody`."""

WriteBody = Callable[[bytes], bool]
"""Sends bytes of the current response, whose headers were sent without a content length. Returns False, and sends
nothing, if the client reads too slowly. Must be called on the endpoint's event loop."""


class _EventPump:
    """Encodes and sends events as soon as they arrive, without switching to the task of the response. The task handles
    last events, and waits for slow clients. Used on the endpoint's event loop only."""

    def __init__(self, stream: MergedStream, frames: Callable[[int, Event], bytes], write: WriteBody | None) -> None:
        self._stream = stream
        self._frames = frames
        self._write = write
        self._needs_task = asyncio.Event()
        self._unsent = b""
        self._last: tuple[int, Event] | None = None
        self._error: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._written_at = self._loop.time()

    def run(self) -> None:
        """Sends all events that have arrived, up to the next last event. Does nothing while the task is needed."""
        if self._needs_task.is_set():
            return
        try:
            self._unsent = b"".join(self._collect())
            if self._unsent and self._write is not None and self._write(self._unsent):
                self._unsent, self._written_at = b"", self._loop.time()
        except Exception as error:  # raised again by `wait`, in the task
            self._error = error
        if self._unsent or self._last is not None or self._error is not None:
            self._needs_task.set()

    def _collect(self) -> Iterator[bytes]:
        while self._last is None and (found := self._stream.poll()) is not None:
            if isinstance(found[1], Finished | Failed):
                self._last = found
            else:
                yield self._frames(*found)

    async def wait(self, timeout_s: float) -> tuple[bytes, tuple[int, Event] | None]:
        """Waits until the task must send something. Returns frames, and the last event of a request or None. Raises
        TimeoutError if nothing was sent for `timeout_s` seconds, and the exceptions of the event writer."""
        self._needs_task.clear()
        self.run()
        while not self._needs_task.is_set():
            silent_s = self._loop.time() - self._written_at
            if silent_s >= timeout_s:
                self._written_at = self._loop.time()
                raise TimeoutError
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s - silent_s):
                    await self._needs_task.wait()
        if self._error is not None:
            raise self._error
        unsent, last = self._unsent, self._last
        self._unsent, self._last, self._written_at = b"", None, self._loop.time()
        return unsent, last


OpenStream = Callable[[Scope, Receive], AbstractAsyncContextManager[MergedStream]]


class EventStreamResponse(Response):
    """Submits requests with `open_stream`, and streams their events as `writer` encodes them.

    The headers are sent with the first event. An error before the first event (EngineError, RequestStopped) is raised,
    and becomes a plain HTTP error. When the response ends for any reason, its requests end too.

    `ends_on_thread`: the writer gets `Finished` on another thread, because the writer then writes to disk.

    If the first event is `PromptProgress`, the headers do not list the schema keywords that are not enforced, because
    these are not known yet."""

    def __init__(
        self,
        open_stream: OpenStream,
        writer: EventWriter,
        ping_interval_s: float,
        framing: Framing = SSE,
        *,
        ends_on_thread: bool = False,
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._open_stream(scope, receive) as stream:
            index, event = await anext(stream)
            match event:
                case Failed() | Finished(reason="cancelled"):
                    raise error_of(event)
            await self._send_headers(send, event.not_enforced if isinstance(event, Started) else ())
            await _send_body(send, await self._frames(index, event))
            await self._send_events(stream, send, scope.get("extensions", {}).get(WRITE_BODY))
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_headers(self, send: Send, not_enforced: Sequence[str] = ()) -> None:
        more = schema_headers(not_enforced=not_enforced)
        headers = [*self.raw_headers, *((name.encode(), value.encode()) for name, value in more.items())]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})

    async def _send_events(self, stream: MergedStream, send: Send, write: WriteBody | None) -> None:
        pump = _EventPump(stream, self._writer.frames, write)
        stream.listen(pump.run)
        while not stream.has_ended:
            try:
                frames, last = await pump.wait(self._ping_interval_s)
            except TimeoutError:
                await _send_body(send, self._ping)
                continue
            await _send_body(send, frames)
            if last is not None:
                await _send_body(send, await self._frames(*last))
                if _is_failure(last[1]):
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
