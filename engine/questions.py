"""What tools ask of a model beside answers: its vocabulary, its template, its description."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from engine.events import ModelCard
from engine.prompt.overflow import Fit
from engine.prompt.pools import PreparePools
from engine.prompt.prepare import Preparer
from engine.requests import ChatRequest, Door, Message, n_chars_of, n_chars_of_messages

Result = TypeVar("Result")
Cancelled = Callable[[], bool]


class Questions:
    """Any thread with a running loop. All raise NotLoaded, EngineDead, EngineClosed.

    Cancelling the task that waits ends the work too, within some ten milliseconds. Long texts are read beside short
    ones, not before them."""

    def __init__(self, pools: PreparePools, ready: Callable[[], Preparer]) -> None:
        """`ready` gives the preparer of now, or raises."""
        self._pools = pools
        self._ready = ready

    async def card(self) -> ModelCard:
        return await self._ask("endpoint", 0, lambda preparer, _: preparer.card())

    async def fit(self, messages: Sequence[Message]) -> Fit:
        """How a chat of the window fits into the context, before it is sent. Raises TemplateError."""
        n_chars = n_chars_of_messages(messages)
        return await self._ask("window", n_chars, lambda preparer, cancelled: preparer.fit(messages, cancelled))

    async def count(self, request: ChatRequest) -> int:
        """Tokens of its prompt, also of one that is too long. Raises TemplateError."""
        n_chars = n_chars_of(request)
        return await self._ask(request.door, n_chars, lambda preparer, cancelled: preparer.count(request, cancelled))

    async def render(self, request: ChatRequest) -> str:
        """The prompt's text, as the model reads it. Raises TemplateError."""
        return await self._ask(request.door, n_chars_of(request), lambda preparer, _: preparer.text(request))

    async def tokenize(self, text: str, *, add_special: bool = True, parse_special: bool = True) -> tuple[int, ...]:
        """With `parse_special`, the texts of control tokens become those tokens."""

        def work(preparer: Preparer, cancelled: Cancelled) -> tuple[int, ...]:
            return preparer.tokenize(text, add_special, parse_special, cancelled)

        return await self._ask("endpoint", len(text), work)

    async def pieces(self, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """Each token's bytes. Raises RequestError where the vocabulary has no such token."""
        return await self._ask("endpoint", len(tokens), lambda preparer, _: preparer.pieces(tokens))

    async def gap_prompt(self, before: str, behind: str, *, context: str = "", start: str = "") -> tuple[int, ...]:
        """The prompt for what is missing between two texts, in tokens. `context` is text before all of it, `start` is
        how the filling begins. Raises RequestError where the model cannot say."""

        def work(preparer: Preparer, cancelled: Cancelled) -> tuple[int, ...]:
            return preparer.gap_prompt(before, behind, context, start, cancelled)

        return await self._ask("endpoint", len(before) + len(behind) + len(context) + len(start), work)

    async def _ask(self, door: Door, n_chars: int, work: Callable[[Preparer, Cancelled], Result]) -> Result:
        cancelled = threading.Event()
        asked = self._pools.run(door, n_chars, self._ready(), lambda preparer: work(preparer, cancelled.is_set))
        try:
            return await asyncio.wrap_future(asked)
        except asyncio.CancelledError:
            cancelled.set()
            raise
