"""The stream of a request: delivery and coalescing of its events."""

from __future__ import annotations

import asyncio
import threading
import time

from engine.errors import EngineClosed
from engine.events import Failed, PromptProgress, Started, TextDelta
from engine.stream import RequestStream, deliver_all


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


def test_listener_is_called_again_only_after_poll_has_returned_none() -> None:
    async def story() -> None:
        calls = 0

        def count() -> None:
            nonlocal calls
            calls += 1

        stream = RequestStream("a", asyncio.get_running_loop(), lambda _: None)
        stream.listener = count
        stream.deliver([text("one ")])
        stream.deliver([text("two")])
        await asyncio.sleep(0)
        assert calls == 1
        assert stream.poll() == TextDelta("one two", 2, ())
        stream.deliver([text("three")])
        await asyncio.sleep(0)
        assert calls == 1
        assert stream.poll() == text("three")
        assert stream.poll() is None
        stream.deliver([text("four")])
        await asyncio.sleep(0)
        assert calls == 2

    asyncio.run(story())


def test_streams_with_one_listener_share_a_call() -> None:
    async def story() -> None:
        calls: list[list[object]] = []
        loop = asyncio.get_running_loop()
        streams = [RequestStream(name, loop, lambda _: None) for name in "ab"]
        for stream in streams:
            stream.listener = listener = lambda: calls.append([each.poll() for each in streams])
        streams[0].listener = listener
        deliver_all([(stream, [text(stream.request_id)]) for stream in streams])
        await asyncio.sleep(0)
        assert calls == [[text("a"), text("b")]]

    asyncio.run(story())


def test_polled_last_event_ends_the_iteration() -> None:
    async def story() -> None:
        cancelled: list[str] = []
        async with RequestStream("a", asyncio.get_running_loop(), cancelled.append) as stream:
            stream.deliver([Failed(EngineClosed())])
            assert isinstance(stream.poll(), Failed)
            assert await anext(stream, None) is None
        assert not cancelled

    asyncio.run(story())


def test_only_the_last_of_several_pending_progress_reports_is_returned() -> None:
    async def story() -> None:
        stream = RequestStream("a", asyncio.get_running_loop(), lambda _: None)
        stream.deliver([PromptProgress(9, 0, 3, 0.1), PromptProgress(9, 0, 9, 0.2), Started(9, 0)])
        assert await anext(stream) == PromptProgress(9, 0, 9, 0.2)
        assert await anext(stream) == Started(9, 0)

    asyncio.run(story())
