"""Streamed responses: merging, encoding and sending of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from starlette.types import Message, Receive, Scope

from api.streaming import WRITE_BODY, EventStreamResponse, FrameTemplate, MergedStream, data_frame
from engine.events import Event, Finished, Started, TextDelta, Timings, Usage
from engine.stream import RequestStream
from tests.api.live_endpoint import Live, ask

FINISHED = Finished("stop", Usage(3, 0, 2), Timings(0.0, 0.0, 0.0, 0.0))


def delta(text: str) -> TextDelta:
    return TextDelta(text, 1)


class ShortFrames:
    """An EventWriter. A frame consists of the index of the request and the text."""

    def frames(self, index: int, event: Event) -> bytes:
        match event:
            case TextDelta(text="error"):
                raise ValueError("this text cannot be encoded")
            case TextDelta(text=text):
                return f"{index}{text};".encode()
            case Finished():
                return f"{index}end;".encode()
        return b""


@dataclass
class Client:
    """Receives a response. `accepts`: whether `write` sends anything."""

    accepts: bool = True
    sent: list[bytes] = field(default_factory=list)
    written: list[bytes] = field(default_factory=list)
    was_sent: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body" and message["body"]:
            self.sent.append(message["body"])
            self.was_sent.set()

    def write(self, data: bytes) -> bool:
        if self.accepts:
            self.written.append(data)
        return self.accepts


Story = Callable[[list[RequestStream]], Awaitable[None]]


def respond(client: Client, story: Story, n_requests: int = 1, ping_interval_s: float = 5.0) -> None:
    """Runs a response to `client` whose requests have the events that `story` delivers."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        streams = [RequestStream(str(index), loop, lambda _: None) for index in range(n_requests)]

        @asynccontextmanager
        async def opened(scope: Scope, receive: Receive) -> AsyncIterator[MergedStream]:
            yield MergedStream(streams, lambda index, event: None)

        async def receive() -> Message:
            raise AssertionError("the response does not receive")

        response = EventStreamResponse(opened, ShortFrames(), ping_interval_s)
        scope = {"type": "http", "extensions": {WRITE_BODY: client.write}}
        running = asyncio.create_task(response(scope, receive, client.send))
        try:
            streams[0].deliver([Started(3, 0)])
            await asyncio.sleep(0.01)
            await story(streams)
            await asyncio.wait_for(running, 5)
        finally:
            running.cancel()

    asyncio.run(run())


async def one_by_one(streams: list[RequestStream]) -> None:
    for text in "ab":
        streams[0].deliver([delta(text)])
        await asyncio.sleep(0.01)
    streams[0].deliver([FINISHED])


def test_deltas_are_written_at_once_and_the_end_is_sent() -> None:
    client = Client()
    respond(client, one_by_one)
    assert client.written == [b"0a;", b"0b;"]
    assert client.sent == [b"0end;"]


def test_slow_client_gets_all_frames_in_order_through_send() -> None:
    client = Client(accepts=False)
    respond(client, one_by_one)
    assert b"".join(client.sent) == b"0a;0b;0end;"


def test_choices_that_arrive_together_are_written_together() -> None:
    async def story(streams: list[RequestStream]) -> None:
        for stream in streams:
            stream.deliver([delta("a")])
        await asyncio.sleep(0.01)
        for stream in streams:
            stream.deliver([delta("b"), FINISHED])

    client = Client()
    respond(client, story, n_requests=2)
    assert client.written[0] == b"0a;1a;"
    assert sorted(b"".join(client.written[1:] + client.sent).split(b";")) == [b"", b"0b", b"0end", b"1b", b"1end"]


def test_ping_is_sent_only_after_silence() -> None:
    async def story(streams: list[RequestStream]) -> None:
        for _ in range(20):
            streams[0].deliver([delta("a")])
            await asyncio.sleep(0.02)
        assert client.sent == []
        await asyncio.wait_for(client.was_sent.wait(), 5)
        streams[0].deliver([FINISHED])

    client = Client()
    respond(client, story, ping_interval_s=0.3)
    assert client.sent[0] == b":\n\n"
    assert client.sent[-1] == b"0end;"


def test_error_of_the_event_writer_ends_the_response() -> None:
    async def story(streams: list[RequestStream]) -> None:
        streams[0].deliver([delta("error")])

    with pytest.raises(ValueError, match="cannot be encoded"):
        respond(Client(), story)


@pytest.mark.parametrize("text", ["", "a", '"\\\n\0', "\u2028\x85é🙂", "</script>"])
def test_frame_template_equals_whole_encoding(text: str) -> None:
    def frame(content: str) -> bytes:
        return data_frame({"model": "\0", "content": content, "index": 0})

    assert FrameTemplate(frame).frame(text) == frame(text)


def test_http_1_0_client_gets_an_unchunked_stream(endpoint: Live) -> None:
    answer = endpoint.raw(endpoint.raw_chat(ask(stream=True)).replace(b"HTTP/1.1", b"HTTP/1.0", 1))
    head, _, events = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert all(not line or line.startswith(b"data: ") for line in events.split(b"\n"))
    assert events.endswith(b"data: [DONE]\n\n")
