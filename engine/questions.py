"""What tools ask of a model beside answers: its vocabulary, its template, its description."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from engine.events import ModelCard
from engine.prompt.overflow import Fit
from engine.prompt.pools import PreparePools
from engine.prompt.prepare import Preparer
from engine.requests import ChatRequest, Door, Message

Result = TypeVar("Result")


class Questions:
    """Any thread with a running loop. All raise NotLoaded, EngineDead, EngineClosed."""

    def __init__(self, pools: PreparePools, ready: Callable[[], Preparer]) -> None:
        """`ready` gives the preparer of now, or raises."""
        self._pools = pools
        self._ready = ready

    async def card(self) -> ModelCard:
        return await self._ask("endpoint", lambda preparer: preparer.card())

    async def fit(self, messages: Sequence[Message]) -> Fit:
        """How a chat of the window fits into the context, before it is sent. Raises TemplateError."""
        return await self._ask("window", lambda preparer: preparer.fit(messages))

    async def count(self, request: ChatRequest) -> int:
        """Tokens of its prompt, also of one that is too long. Raises TemplateError."""
        return await self._ask(request.door, lambda preparer: preparer.count(request))

    async def render(self, request: ChatRequest) -> str:
        """The prompt's text, as the model reads it. Raises TemplateError."""
        return await self._ask(request.door, lambda preparer: preparer.text(request))

    async def tokenize(self, text: str, *, add_special: bool = True) -> tuple[int, ...]:
        return await self._ask("endpoint", lambda preparer: preparer.tokenize(text, add_special))

    async def pieces(self, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """Each token's bytes. Raises RequestError where the vocabulary has no such token."""
        return await self._ask("endpoint", lambda preparer: preparer.pieces(tokens))

    async def gap_prompt(self, before: str, behind: str) -> str:
        """The prompt for what is missing between two texts. Raises RequestError where the model cannot say."""
        return await self._ask("endpoint", lambda preparer: preparer.gap_prompt(before, behind))

    async def _ask(self, door: Door, work: Callable[[Preparer], Result]) -> Result:
        return await asyncio.wrap_future(self._pools.run(door, self._ready(), work))
