"""The stream of a request: delivery and coalescing of its events."""

from __future__ import annotations

import asyncio
import threading
import time

from engine.errors import EngineClosed
from engine.events import Failed, TextDelta
from engine.stream import RequestStream


def text(words: str) -> TextDelta:
    return TextDelta(words, 1, ())


def test_text_that_arrives_during_coalescing_is_merged() -> None:
    async def story() -> None:
        stream = RequestStream("a", asyncio.get_running_loop(), lambda _: None)
        stream.deliver([text("one ")])
        began = time.monotonic()
        await stream.coalesce(0.05)
        assert time.monotonic() - began >= 0.045
        stream.deliver([text("two")])
        assert await anext(stream) == TextDelta("one two", 2, ())

    asyncio.run(story())


def test_last_event_ends_coalescing_early() -> None:
    async def story() -> None:
        stream = RequestStream("a", asyncio.get_running_loop(), lambda _: None)
        stream.deliver([text("one ")])
        await anext(stream)
        last = Failed(EngineClosed())

        def write() -> None:
            stream.deliver([text("two")])  # wakes the event loop, but does not end the coalescing
            time.sleep(0.05)
            stream.deliver([text(" three"), last])

        writer = threading.Thread(target=write)
        writer.start()
        began = time.monotonic()
        await stream.coalesce(20)
        writer.join()
        assert 0.045 <= time.monotonic() - began < 10
        assert [event async for event in stream] == [TextDelta("two three", 2, ()), last]
        assert await asyncio.wait_for(anext(stream, None), 1) is None

    asyncio.run(story())
