"""What tools ask of a model beside answers: its vocabulary, its template, its description."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from engine.events import ModelProps
from engine.prompt.context_fit import ContextFit
from engine.prompt.prompt_builder import PromptBuilder
from engine.prompt.thread_pools import PromptThreadPools
from engine.requests import ChatRequest, Message, Origin, n_chars_of, n_chars_of_messages

Result = TypeVar("Result")
Cancelled = Callable[[], bool]


class ModelQueries:
    """Any thread with a running loop. All raise NotLoaded, EngineDead, EngineClosed.

    Cancelling the task that waits ends the work too, within some ten milliseconds. Long texts are read beside short
    ones, not before them."""

    def __init__(self, pools: PromptThreadPools, ready: Callable[[], PromptBuilder]) -> None:
        """`ready` gives the prompt_builder of now, or raises."""
        self._pools = pools
        self._ready = ready

    async def card(self) -> ModelProps:
        return await self._ask("endpoint", 0, lambda prompt_builder, _: prompt_builder.model_props())

    async def fit(self, messages: Sequence[Message]) -> ContextFit:
        """How a chat of the window fits into the context, before it is sent. Raises TemplateError."""
        n_chars = n_chars_of_messages(messages)
        return await self._ask(
            "window", n_chars, lambda prompt_builder, cancelled: prompt_builder.context_fit(messages, cancelled)
        )

    async def count(self, request: ChatRequest) -> int:
        """Tokens of its prompt, also of one that is too long. Raises TemplateError."""
        n_chars = n_chars_of(request)
        return await self._ask(
            request.origin, n_chars, lambda prompt_builder, cancelled: prompt_builder.count_tokens(request, cancelled)
        )

    async def render(self, request: ChatRequest) -> str:
        """The prompt's text, as the model reads it. Raises TemplateError."""
        return await self._ask(
            request.origin, n_chars_of(request), lambda prompt_builder, _: prompt_builder.render(request)
        )

    async def tokenize(self, text: str, *, add_special: bool = True, parse_special: bool = True) -> tuple[int, ...]:
        """With `parse_special`, the texts of control tokens become those tokens."""

        def work(prompt_builder: PromptBuilder, cancelled: Cancelled) -> tuple[int, ...]:
            return prompt_builder.tokenize(text, add_special, parse_special, cancelled)

        return await self._ask("endpoint", len(text), work)

    async def pieces(self, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """Each token's bytes. Raises RequestError where the vocabulary has no such token."""
        return await self._ask("endpoint", len(tokens), lambda prompt_builder, _: prompt_builder.pieces(tokens))

    async def fim_prompt(self, before: str, behind: str, *, context: str = "", start: str = "") -> tuple[int, ...]:
        """The prompt for what is missing between two texts, in tokens. `context` is text before all of it, `start` is
        how the filling begins. Raises RequestError where the model cannot say."""

        def work(prompt_builder: PromptBuilder, cancelled: Cancelled) -> tuple[int, ...]:
            return prompt_builder.fim_prompt(before, behind, context, start, cancelled)

        return await self._ask("endpoint", len(before) + len(behind) + len(context) + len(start), work)

    async def _ask(self, origin: Origin, n_chars: int, work: Callable[[PromptBuilder, Cancelled], Result]) -> Result:
        cancelled = threading.Event()
        asked = self._pools.run(
            origin, n_chars, self._ready(), lambda prompt_builder: work(prompt_builder, cancelled.is_set)
        )
        try:
            return await asyncio.wrap_future(asked)
        except asyncio.CancelledError:
            cancelled.set()
            raise
