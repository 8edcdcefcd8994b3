"""The requests of one client's call: an answer in several choices, or several prompts at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Self

from api.answer import Answer, AnswerBuilder
from engine.events import Event, Failed, Finished, TextDelta
from engine.stream import RequestStream


class MergedStream:
    """The events of several streams as they come, each with the place of its stream. Belongs to the endpoint's loop.

    An `anext` that is given up loses nothing."""

    def __init__(
        self,
        streams: Sequence[RequestStream],
        on_end: Callable[[int, Event], None],
        on_text: Callable[[int, str], None] | None = None,
    ) -> None:
        """`on_end` gets the last event of each stream, `on_text` each piece of its answer, with its place."""
        self._streams = streams
        self._on_end = on_end
        self._on_text = on_text
        self._waiting: dict[asyncio.Task[Event | None], int] = {}
        self._only = streams[0] if len(streams) == 1 else None

    def cancel(self) -> None:
        """Ends every request within one step; their last events still come."""
        for stream in self._streams:
            stream.cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[int, Event]:
        if self._only is not None:  # the usual case, and the fast one
            place, event = 0, await anext(self._only)
        else:
            place, event = await self._first_of_many()
        if isinstance(event, Finished | Failed):
            self._on_end(place, event)
        elif self._on_text is not None and isinstance(event, TextDelta):
            self._on_text(place, event.text)
        return place, event

    async def _first_of_many(self) -> tuple[int, Event]:
        if not self._waiting:
            self._waiting = {asyncio.ensure_future(_next(stream)): at for at, stream in enumerate(self._streams)}
        while self._waiting:
            done, _ = await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)
            task = min(done, key=self._waiting.__getitem__)
            place, event = self._waiting.pop(task), task.result()
            if event is not None:
                self._waiting[asyncio.ensure_future(_next(self._streams[place]))] = place
                return place, event
        self._streams = ()
        raise StopAsyncIteration

    async def collect(self) -> list[Answer]:
        """All answers, in the order of the requests. Raises what `AnswerBuilder.add` raises."""
        builders = [AnswerBuilder() for _ in self._streams]
        answers: dict[int, Answer] = {}
        async for place, event in self:
            answer = builders[place].add(event)
            if answer is not None:
                answers[place] = answer
        return [answers[place] for place in range(len(builders))]

    async def aclose(self) -> None:
        """Leaves no task behind."""
        for task in self._waiting:
            task.cancel()
        if self._waiting:
            await asyncio.wait(self._waiting)


async def _next(stream: RequestStream) -> Event | None:
    return await anext(stream, None)
