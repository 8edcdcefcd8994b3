"""Queries about the loaded chat model: tokens, rendered prompts, context use, properties."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from engine.priority import Origin
from engine.prompt.context_fit import ContextFit
from engine.prompt.prompt_builder import PromptBuilder
from engine.prompt_dispatcher import PromptDispatcher
from engine.requests import ChatRequest, Message, n_chars_of, n_chars_of_messages
from engine.status import ModelProps

Result = TypeVar("Result")
Cancelled = Callable[[], bool]


class ModelQueries:
    """Answers queries about the loaded chat model. May be used on any thread with a running event loop. Every query can
    raise NotLoaded, EngineDead and EngineClosed.

    If the waiting task is cancelled, the work ends within about 10 ms. Long texts are processed on threads of their
    own, so they do not delay short ones."""

    def __init__(self, prompts: PromptDispatcher, ready_prompt_builder: Callable[[], PromptBuilder]) -> None:
        """`ready_prompt_builder` returns the prompt builder of the loaded model, or raises NotLoaded, EngineDead or
        EngineClosed."""
        self._prompts = prompts
        self._ready_prompt_builder = ready_prompt_builder

    async def props(self) -> ModelProps:
        return await self._run("endpoint", 0, lambda builder, _: builder.model_props())

    async def fit(self, messages: Sequence[Message]) -> ContextFit:
        """Returns how the messages of a chat in the app's window fit into the context. Raises TemplateError."""
        n_chars = n_chars_of_messages(messages)
        return await self._run("window", n_chars, lambda builder, cancelled: builder.context_fit(messages, cancelled))

    async def count_tokens(self, request: ChatRequest) -> int:
        """Returns the number of tokens in the request's prompt, even if they exceed the context. Raises
        TemplateError."""
        n_chars = n_chars_of(request)
        return await self._run(
            request.origin, n_chars, lambda builder, cancelled: builder.count_tokens(request, cancelled)
        )

    async def render(self, request: ChatRequest) -> str:
        """Returns the text of the request's prompt. Raises TemplateError."""
        return await self._run(request.origin, n_chars_of(request), lambda builder, _: builder.render(request))

    async def tokenize(self, text: str, *, add_special: bool = True, parse_special: bool = True) -> tuple[int, ...]:
        """Returns the tokens of `text`. With `parse_special`, the text of a control token becomes that token."""

        def work(builder: PromptBuilder, cancelled: Cancelled) -> tuple[int, ...]:
            return builder.tokenize(text, add_special, parse_special, cancelled)

        return await self._run("endpoint", len(text), work)

    async def pieces(self, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """Returns the bytes of each token. Raises RequestError for an id that is not in the vocabulary."""
        return await self._run("endpoint", len(tokens), lambda builder, _: builder.pieces(tokens))

    async def fim_prompt(self, before: str, behind: str, *, context: str = "", start: str = "") -> tuple[int, ...]:
        """Returns the tokens of a fill-in-the-middle prompt. The model generates the text between `before` and
        `behind`; `context` precedes both, and `start` begins the generated text. Raises RequestError if the model has
        no fill-in-the-middle tokens."""

        def work(builder: PromptBuilder, cancelled: Cancelled) -> tuple[int, ...]:
            return builder.fim_prompt(before, behind, context, start, cancelled)

        return await self._run("endpoint", len(before) + len(behind) + len(context) + len(start), work)

    async def _run(self, origin: Origin, n_chars: int, work: Callable[[PromptBuilder, Cancelled], Result]) -> Result:
        cancelled = threading.Event()
        builder = self._ready_prompt_builder()
        future = self._prompts.run(origin, n_chars, builder, lambda builder: work(builder, cancelled.is_set))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            cancelled.set()
            raise
