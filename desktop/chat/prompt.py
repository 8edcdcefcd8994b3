"""Branch of a chat and its settings → prompt of the model, and the number of its tokens. Qt-free."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import TYPE_CHECKING

from desktop.chat.attachments.file_kinds import language_of
from desktop.store.records import Attachment, ChatMessage, ChatSettings
from engine.prompt.context_fit import ContextFit
from engine.requests import ChatRequest, Message, Sampling

if TYPE_CHECKING:
    from engine.engine import Engine

SUMMARY_HEADING = "Summary of the conversation up to here:"
"""Part of the prompt, therefore not translated."""

SAMPLING_SETTINGS = {field.name for field in fields(Sampling)} & {field.name for field in fields(ChatSettings)}

_FENCES = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True)
class PromptPart:
    """One message of the prompt and the rows of the branch it comes from; the system message has no rows."""

    message: Message
    rows: tuple[ChatMessage, ...] = ()


def prompt_parts(branch: Sequence[ChatMessage], settings: ChatSettings) -> list[PromptPart]:
    """System message (instructions, summary), then the rows that the summary does not cover, without empty ones."""
    after = n_summarized_rows(branch, settings)
    system = _system_text(settings, summarized=after > 0)
    texts = ((row, with_attachments(row.text, row.attachments)) for row in branch[after:])
    parts = [PromptPart(Message(row.role, text), (row,)) for row, text in texts if text]
    return [PromptPart(Message("system", system)), *parts] if system else parts


def unmerged_messages(branch: Sequence[ChatMessage], settings: ChatSettings) -> tuple[Message, ...]:
    """The messages of `prompt_parts`, one per row, so that a question without an answer can be left out by itself."""
    return tuple(part.message for part in prompt_parts(branch, settings))


def prompt_messages(
    branch: Sequence[ChatMessage], settings: ChatSettings, left_out: Collection[int] = ()
) -> tuple[Message, ...]:
    """What the model reads. `left_out` are indices into `unmerged_messages`, as in `ContextFit.left_out`.

    Consecutive messages of one role are merged, because many chat templates reject them. O(length of the branch): call
    it on a pool thread for long chats."""
    kept = [message for place, message in enumerate(unmerged_messages(branch, settings)) if place not in left_out]
    return tuple(_merged([*group]) for _, group in groupby(kept, key=lambda message: message.role))


def _merged(messages: Sequence[Message]) -> Message:
    return Message(messages[0].role, "\n\n".join(message.content for message in messages))


def n_summarized_rows(branch: Sequence[ChatMessage], settings: ChatSettings) -> int:
    """How many rows of this branch the summary replaces; 0 if it belongs to another branch."""
    if not settings.summary:
        return 0
    return next((place for place, row in enumerate(branch, 1) if row.id == settings.summarised_to), 0)


def with_attachments(text: str, attachments: Sequence[Attachment]) -> str:
    """The attachments as fenced blocks, then the text."""
    return "\n\n".join([*map(fenced, attachments), *([text] if text else [])])


def fenced(attachment: Attachment) -> str:
    """The file as a code block below its name. The fence is longer than any fence in the file."""
    longest = max((len(fence) for fence in _FENCES.findall(attachment.text)), default=2)
    fence = "`" * (longest + 1)
    end = "" if attachment.text.endswith("\n") else "\n"
    return f"{attachment.name}:\n{fence}{language_of(attachment.name)}\n{attachment.text}{end}{fence}"


def _system_text(settings: ChatSettings, *, summarized: bool) -> str:
    """Text of the only system message, since most chat templates accept just one."""
    summary = f"{SUMMARY_HEADING}\n{settings.summary}" if summarized else ""
    return "\n\n".join(part for part in (settings.system.strip(), summary) if part)


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """Prompt of an answer: the messages before it and the chat's settings."""

    branch: tuple[ChatMessage, ...]
    settings: ChatSettings

    async def request(self, engine: Engine) -> ChatRequest:
        """The request to submit. With `leaves_out`, without the oldest turns if they do not fit. Raises EngineError."""
        loop = asyncio.get_running_loop()
        left_out: tuple[int, ...] = ()
        if self.settings.leaves_out:
            messages = await loop.run_in_executor(None, unmerged_messages, self.branch, self.settings)
            left_out = (await engine.queries.fit(messages)).left_out if messages else ()
        merged = await loop.run_in_executor(None, prompt_messages, self.branch, self.settings, left_out)
        return chat_request(merged, self.settings)


def chat_request(messages: tuple[Message, ...], settings: ChatSettings) -> ChatRequest:
    """A request of the window with the chat's settings; settings without a value use the defaults of `Sampling`."""
    given = {name: value for name in SAMPLING_SETTINGS if (value := getattr(settings, name)) is not None}
    return ChatRequest(
        messages, "window", Sampling(**given), thinking=settings.thinking, max_tokens=settings.max_tokens
    )


class TokenCounter:
    """Counts tokens with the loaded model, on pool threads. Loop's thread only. All methods raise EngineError."""

    async def fit(self, engine: Engine, branch: Sequence[ChatMessage], settings: ChatSettings) -> ContextFit:
        """How this branch fits into the context. `ContextFit.left_out` are indices into `unmerged_messages`."""
        messages = await asyncio.get_running_loop().run_in_executor(None, unmerged_messages, tuple(branch), settings)
        if not messages:
            n_ctx = engine.status.model.n_ctx if engine.status.model is not None else 0
            return ContextFit(0, n_ctx, (), 0, True)
        return await engine.queries.fit(messages)

    async def attachment(self, engine: Engine, attachment: Attachment) -> int:
        """Tokens that this file adds to a message."""
        return await self.text(engine, await asyncio.get_running_loop().run_in_executor(None, fenced, attachment))

    async def text(self, engine: Engine, text: str) -> int:
        """Tokens that this text adds to a chat."""
        if not text:
            return 0
        with_text, without = [
            await engine.queries.count_tokens(ChatRequest((Message("user", each),), "window")) for each in (text, "")
        ]
        return max(0, with_text - without)
