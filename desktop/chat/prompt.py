"""Builds the prompt of the model from a branch of a chat and the chat's settings, and counts its tokens. Qt-free."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import TYPE_CHECKING

from desktop.chat.attachments.file_kinds import language_of
from desktop.store.records import Attachment, ChatMessage, ChatSettings
from engine.prompt.context_fit import ContextFit, fit_to_context
from engine.prompt.token_estimate import estimated_tokens
from engine.requests import ChatRequest, Message, Sampling

if TYPE_CHECKING:
    from engine.chat_engine import Capabilities, ChatEngine

SUMMARY_HEADING = "Summary of the conversation up to here:"
"""Heading of the summary. It is part of the prompt, so it is not translated."""

CONTINUE = "Continue your last answer exactly where it ends. Write only the rest of it."
"""Request for the rest of an answer, where a model cannot continue one. It is part of the prompt, so it is not
translated."""

SAMPLING_SETTINGS = {field.name for field in fields(Sampling)} & {field.name for field in fields(ChatSettings)}

_FENCES = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True)
class PromptPart:
    """One message of the prompt. `rows` are the messages of the branch from which it was made; the system message has
    no rows."""

    message: Message
    rows: tuple[ChatMessage, ...] = ()


def prompt_parts(branch: Sequence[ChatMessage], settings: ChatSettings) -> list[PromptPart]:
    """Parts of the prompt: the system message (instructions and summary), then the messages of the branch. Empty
    messages, and those that the summary covers, are omitted."""
    after = n_summarized_rows(branch, settings)
    system = _system_text(settings, summarized=after > 0)
    texts = ((row, with_attachments(row.text, row.attachments)) for row in branch[after:])
    parts = [PromptPart(Message(row.role, text), (row,)) for row, text in texts if text]
    return [PromptPart(Message("system", system)), *parts] if system else parts


def unmerged_messages(branch: Sequence[ChatMessage], settings: ChatSettings) -> tuple[Message, ...]:
    """Messages of the prompt, one for each message of the branch. They are not merged, so that a question without an
    answer can be left out by itself."""
    return tuple(part.message for part in prompt_parts(branch, settings))


def prompt_messages(
    branch: Sequence[ChatMessage], settings: ChatSettings, left_out: Collection[int] = ()
) -> tuple[Message, ...]:
    """Messages that the model gets. `left_out` are the indices of messages to omit from `unmerged_messages`;
    `ContextFit.left_out` has the same meaning.

    Consecutive messages of the same role are merged, because many chat templates reject them. This takes O(length of
    the branch), so call it on a pool thread for long chats."""
    kept = [message for place, message in enumerate(unmerged_messages(branch, settings)) if place not in left_out]
    return tuple(_merged([*group]) for _, group in groupby(kept, key=lambda message: message.role))


def _merged(messages: Sequence[Message]) -> Message:
    return Message(messages[0].role, "\n\n".join(message.content for message in messages))


def n_summarized_rows(branch: Sequence[ChatMessage], settings: ChatSettings) -> int:
    """How many messages of this branch the summary replaces; 0 if the summary belongs to another branch."""
    if not settings.summary:
        return 0
    return next((place for place, row in enumerate(branch, 1) if row.id == settings.summarised_to), 0)


def with_attachments(text: str, attachments: Sequence[Attachment]) -> str:
    """Text of a message for the model: its attachments as Markdown code blocks, then `text`."""
    return "\n\n".join([*map(fenced, attachments), *([text] if text else [])])


def fenced(attachment: Attachment) -> str:
    """An attached file as a Markdown code block below the file name. The fence is longer than any fence in the file."""
    longest = max((len(fence) for fence in _FENCES.findall(attachment.text)), default=2)
    fence = "`" * (longest + 1)
    end = "" if attachment.text.endswith("\n") else "\n"
    return f"{attachment.name}:\n{fence}{language_of(attachment.name)}\n{attachment.text}{end}{fence}"


def _system_text(settings: ChatSettings, *, summarized: bool) -> str:
    """Text of the system message: instructions and summary. They share one message, because most chat templates accept
    only one."""
    summary = f"{SUMMARY_HEADING}\n{settings.summary}" if summarized else ""
    return "\n\n".join(part for part in (settings.system.strip(), summary) if part)


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """Prompt for an answer, made from the messages before the answer and the settings of the chat."""

    branch: tuple[ChatMessage, ...]
    settings: ChatSettings

    async def request(self, engine: ChatEngine) -> ChatRequest:
        """The request to submit to the engine. With the setting `leaves_out`, the oldest turns are left out if the
        prompt does not fit. Raises EngineError."""
        loop = asyncio.get_running_loop()
        left_out: tuple[int, ...] = ()
        if self.settings.leaves_out:
            messages = await loop.run_in_executor(None, unmerged_messages, self.branch, self.settings)
            left_out = (await engine.queries.fit(messages)).left_out if messages else ()
        merged = await loop.run_in_executor(None, prompt_messages, self.branch, self.settings, left_out)
        request = chat_request(merged, self.settings)
        return request if engine.capabilities.reasoning else replace(request, thinking=None)


def chat_request(messages: tuple[Message, ...], settings: ChatSettings) -> ChatRequest:
    """Request with the settings of a chat. A setting without a value has the default of `Sampling`."""
    given = {name: value for name in SAMPLING_SETTINGS if (value := getattr(settings, name)) is not None}
    return ChatRequest(
        messages, "window", Sampling(**given), thinking=settings.thinking, max_tokens=settings.max_tokens
    )


def continuing(request: ChatRequest, text: str, capabilities: Capabilities) -> ChatRequest:
    """The request for the rest of an answer that begins with `text`. If the engine cannot continue an answer, one more
    message asks for the rest."""
    if not text or capabilities.answer_start:
        return replace(request, answer_start=text)
    return replace(request, messages=(*request.messages, Message("assistant", text), Message("user", CONTINUE)))


class TokenCounter:
    """Counts tokens with the model that answers. The work runs on pool threads; call the methods on the event-loop
    thread only. All methods raise EngineError."""

    def __init__(self, *, asks_servers: bool = True) -> None:
        """With `asks_servers` False, nothing is sent to the server of a model on another machine: the numbers are then
        estimates. For text that the user has not sent."""
        self._asks_servers = asks_servers

    def estimates(self, engine: ChatEngine) -> bool:
        """Whether the numbers for this engine are estimates."""
        return not engine.capabilities.counts_tokens or not self._may_ask(engine)

    def _may_ask(self, engine: ChatEngine) -> bool:
        return self._asks_servers or engine.status.model is None or not engine.status.model.host

    async def fit(self, engine: ChatEngine, branch: Sequence[ChatMessage], settings: ChatSettings) -> ContextFit:
        """How this branch fits into the context. In the result, `left_out` are indices into `unmerged_messages`."""
        messages = await asyncio.get_running_loop().run_in_executor(None, unmerged_messages, tuple(branch), settings)
        if not messages:
            n_ctx = engine.status.model.n_ctx if engine.status.model is not None else 0
            return ContextFit(0, n_ctx, (), 0, True)
        if not self._may_ask(engine):
            n_ctx = engine.status.model.n_ctx if engine.status.model is not None else 0
            return await asyncio.get_running_loop().run_in_executor(None, _estimated_fit, messages, n_ctx)
        return await engine.queries.fit(messages)

    async def attachment(self, engine: ChatEngine, attachment: Attachment) -> int:
        """Number of tokens that this file adds to a message."""
        return await self.text(engine, await asyncio.get_running_loop().run_in_executor(None, fenced, attachment))

    async def text(self, engine: ChatEngine, text: str) -> int:
        """Number of tokens that this text adds to a chat."""
        if not text:
            return 0
        if not self._may_ask(engine):
            return await asyncio.get_running_loop().run_in_executor(None, _estimated_length, text)
        with_text, without = [
            await engine.queries.count_tokens(ChatRequest((Message("user", each),), "window")) for each in (text, "")
        ]
        return max(0, with_text - without)


def _estimated_fit(messages: Sequence[Message], n_ctx: int) -> ContextFit:
    def count(some: Sequence[Message]) -> int:
        return estimated_tokens(ChatRequest(tuple(some), "window"))

    n_prompt = count(messages)
    return fit_to_context(messages, count, n_ctx) if n_ctx else ContextFit(n_prompt, 0, (), n_prompt, True)


def _estimated_length(text: str) -> int:
    with_text, without = [estimated_tokens(ChatRequest((Message("user", each),), "window")) for each in (text, "")]
    return with_text - without
