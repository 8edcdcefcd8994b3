"""A branch of a chat and its settings → what the model is asked. Pure, but for the question whether it fits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop.store.records import Attachment, ChatMessage, ChatSettings
from engine.requests import ChatRequest, Message, Sampling

if TYPE_CHECKING:
    from engine.engine import Engine

SUMMARY = "Summary of the conversation up to here:"
"""Read by the model, so it is not translated."""

_FENCES = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What an answer is asked with: the messages before it, and the chat's settings."""

    branch: tuple[ChatMessage, ...]
    settings: ChatSettings

    async def request(self, engine: Engine) -> ChatRequest:
        """Ready to be submitted. Where the person chose that, without the oldest turns, if they do not fit.

        Raises EngineError."""
        messages = await asyncio.get_running_loop().run_in_executor(None, prompt_for, self.branch, self.settings)
        if self.settings.leaves_out and messages:
            left_out = (await engine.fit(messages)).left_out
            messages = tuple(message for place, message in enumerate(messages) if place not in left_out)
        return request_for(messages, self.settings)


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


def prompt_for(
    branch: Sequence[ChatMessage], settings: ChatSettings = ChatSettings(), left_out: Collection[int] = ()
) -> tuple[Message, ...]:
    """What the model is to read, without the messages at the places `left_out`. Reasoning is not sent back.

    Empty answers are left out; what one side said in a row becomes one message, because many chat templates refuse
    two messages of the same role in a row."""
    after = _n_summarised(branch, settings)
    system = _system(settings, after > 0)
    prompt = [Message("system", system)] if system else []
    for message in branch[after:]:
        text = with_attachments(message.text, message.attachments)
        if not text:
            continue
        if prompt and prompt[-1].role == message.role:
            prompt[-1] = Message(message.role, f"{prompt[-1].content}\n\n{text}")
        else:
            prompt.append(Message(message.role, text))
    return tuple(message for place, message in enumerate(prompt) if place not in left_out)


def with_attachments(text: str, attachments: Sequence[Attachment]) -> str:
    """The files, each named and fenced, then the words."""
    return "\n\n".join([*map(fenced, attachments), *([text] if text else [])])


def fenced(attachment: Attachment) -> str:
    """The file as a block with its name; the fence is longer than any within."""
    longest = max((len(fence) for fence in _FENCES.findall(attachment.text)), default=2)
    fence = "`" * (longest + 1)
    end = "" if attachment.text.endswith("\n") else "\n"
    return f"{attachment.name}:\n{fence}\n{attachment.text}{end}{fence}"


def _n_summarised(branch: Sequence[ChatMessage], settings: ChatSettings) -> int:
    """How many messages of this branch the summary stands for; 0 where it is of another branch."""
    if not settings.summary:
        return 0
    return next((place for place, message in enumerate(branch, 1) if message.id == settings.summarised_to), 0)


def _system(settings: ChatSettings, summarised: bool) -> str:
    """One message, since most chat templates take only one from the system."""
    summary = f"{SUMMARY}\n{settings.summary}" if summarised else ""
    return "\n\n".join(part for part in (settings.system.strip(), summary) if part)
