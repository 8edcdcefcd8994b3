"""A branch of a chat and its settings → what the model is asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop.chat.prompt_messages import prompt_for, prompt_messages_of
from desktop.store.records import ChatMessage, ChatSettings
from engine.requests import ChatRequest, Message, Sampling

if TYPE_CHECKING:
    from engine.engine import Engine


@dataclass(frozen=True, slots=True)
class Prompt:
    """What an answer is asked with: the messages before it, and the chat's settings."""

    branch: tuple[ChatMessage, ...]
    settings: ChatSettings

    async def request(self, engine: Engine) -> ChatRequest:
        """Ready to be submitted. Where the person chose that, without the oldest turns, if they do not fit.

        Raises EngineError."""
        loop = asyncio.get_running_loop()
        left_out: tuple[int, ...] = ()
        if self.settings.leaves_out:
            messages = await loop.run_in_executor(None, prompt_messages_of, self.branch, self.settings)
            left_out = (await engine.queries.fit(messages)).left_out if messages else ()
        asked = await loop.run_in_executor(None, prompt_for, self.branch, self.settings, left_out)
        return request_for(asked, self.settings)


def request_for(messages: tuple[Message, ...], settings: ChatSettings) -> ChatRequest:
    return ChatRequest(
        messages,
        "window",
        sampling_of(settings),
        thinking=settings.thinking,
        max_tokens=settings.max_tokens,
    )


def sampling_of(settings: ChatSettings) -> Sampling:
    """The settings that the person gave, over our defaults."""
    names = ("temperature", "top_p", "top_k", "min_p", "repeat_penalty", "seed")
    given = {name: value for name in names if (value := getattr(settings, name)) is not None}
    return Sampling(**given)
