"""How often the readers of running answers are woken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from engine.errors import EngineClosed
from engine.events import Event, Failed, Started, TextDelta
from engine.paced_delivery import PacedDelivery
from engine.stream import RequestStream


def text(words: str) -> TextDelta:
    return TextDelta(words, 1, ())


def run(story: Callable[[PacedDelivery, RequestStream, list[Event]], Awaitable[None]], interval_s: float = 1.0) -> None:
    """Runs a story with a stream whose listener appends what it reads to a list."""

    async def main() -> None:
        stream = RequestStream("a", asyncio.get_running_loop(), lambda _: None)
        read: list[Event] = []

        def listen() -> None:
            while (event := stream.poll()) is not None:
                read.append(event)

        stream.listener = listen
        await story(PacedDelivery(interval_s), stream, read)

    asyncio.run(main())


def test_texts_of_short_steps_are_read_together_within_the_interval() -> None:
    async def story(delivery: PacedDelivery, stream: RequestStream, read: list[Event]) -> None:
        for at in range(7):
            delivery.deliver([(stream, [text(str(at))])], 0.4 * at)
            await asyncio.sleep(0)
        # The step after the one at 0.8 would end at 1.2, later than the interval allows.
        assert read == [text("0"), TextDelta("12", 2, ()), TextDelta("34", 2, ()), TextDelta("56", 2, ())]

    run(story)


def test_texts_of_steps_longer_than_the_interval_are_read_at_once() -> None:
    async def story(delivery: PacedDelivery, stream: RequestStream, read: list[Event]) -> None:
        for at in range(3):
            delivery.deliver([(stream, [text(str(at))])], 1.5 * at)
            await asyncio.sleep(0)
            assert len(read) == at + 1

    run(story)


def test_interval_of_zero_holds_no_text() -> None:
    async def story(delivery: PacedDelivery, stream: RequestStream, read: list[Event]) -> None:
        for at in range(3):
            delivery.deliver([(stream, [text(str(at))])], 0.0)
            await asyncio.sleep(0)
            assert len(read) == at + 1

    run(story, 0.0)


def test_first_event_of_a_request_is_read_at_once_with_all_held_texts() -> None:
    async def story(delivery: PacedDelivery, stream: RequestStream, read: list[Event]) -> None:
        other = RequestStream("b", asyncio.get_running_loop(), lambda _: None)
        for now in (0.0, 0.1):
            delivery.deliver([(stream, [text(str(now))])], now)
        delivery.deliver([(other, [Started(1, 0), text("b")])], 0.2)
        await asyncio.sleep(0)
        assert read == [TextDelta("0.00.1", 2, ())]
        assert other.poll() == Started(1, 0)

    run(story)


def test_flush_delivers_held_text() -> None:
    async def story(delivery: PacedDelivery, stream: RequestStream, read: list[Event]) -> None:
        for now in (0.0, 0.1):
            delivery.deliver([(stream, [text(str(now))])], now)
            await asyncio.sleep(0)
        assert read == [text("0.0")]
        delivery.flush()
        await asyncio.sleep(0)
        assert read == [text("0.0"), text("0.1")]

    run(story)


def test_last_event_follows_held_text_at_once() -> None:
    async def story(delivery: PacedDelivery, stream: RequestStream, read: list[Event]) -> None:
        for now in (0.0, 0.1):
            delivery.deliver([(stream, [text(str(now))])], now)
            await asyncio.sleep(0)
        last = Failed(EngineClosed())
        stream.deliver([last])
        await asyncio.sleep(0)
        assert read == [text("0.0"), text("0.1"), last]
        delivery.flush()  # wakes the event loop once more, which finds nothing
        await asyncio.sleep(0)
        assert len(read) == 3

    run(story)
