"""Titles by the model, made in the background when a chat has its first answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop.chat.prompt import request_for
from desktop.chat.session import Session
from desktop.chat.tree import shortened, title_of
from desktop.compose.prompt import prompt_for
from desktop.models.controller import ModelController
from desktop.store.records import ChatMessage, ChatSettings
from desktop.tasks import TaskSet
from engine.errors import EngineError
from engine.requests import ChatRequest, Message, Sampling

if TYPE_CHECKING:
    from engine.engine import Engine

TASK = "Write a title for this conversation: at most six words, on one line, no quotation marks, nothing but the title."
"""Read by the model, so it is not translated."""

MOST_TOKENS = 24
LONGEST = 60
"""Letters. A model that writes more has not written a title."""

LATEST = 4
"""A chat of more messages keeps the title that it has."""

_PREFIX = re.compile(r"^(?:(?:chat |conversation )?title|subject)\s*[:\-–]\s*", re.IGNORECASE)
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)
_QUOTES = "\"'“”‘’«»„`*_#"
_WORD = re.compile(r"\w{4,}")
_STEM = 4


class Titler:
    """`retitle(chat_id, title)` gets a title that is worth it. At most one is being made. Loop's thread only."""

    def __init__(self, models: ModelController, retitle: Callable[[str, str], None]) -> None:
        self._models = models
        self._retitle = retitle
        self._tasks = TaskSet(lambda error, name: None)
        self._done: set[str] = set()

    def after(self, session: Session, answer: ChatMessage) -> None:
        """Where this answer is the first of a chat that nobody gave a title, one is made."""
        chat, branch = session.chat, session.conversation.branch()
        if chat.titled_by != "start" or chat.id in self._done or answer.state != "complete" or not answer.text:
            return
        if session.is_live or len(branch) > LATEST or branch[-1].id != answer.id or branch[0].role != "user":
            return
        words = branch[0].text or "".join(each.name for each in branch[0].attachments[:1])
        if chat.title == title_of(words):  # else it is a person's, of a time when that was not noted
            self._tasks.spawn(self._make(chat.id, tuple(branch), chat.settings), f"title of {chat.id}")

    def cancel(self) -> None:
        """What the person waits for goes first. Idempotent."""
        self._tasks.cancel()

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def _make(self, chat_id: str, branch: tuple[ChatMessage, ...], settings: ChatSettings) -> None:
        try:
            engine = await self._models.ready()
            written = await self._ask(engine, branch, settings)
        except EngineError:
            return
        self._done.add(chat_id)
        if title := title_in(written, [message.text for message in branch]):
            self._retitle(chat_id, title)

    async def _ask(self, engine: Engine, branch: tuple[ChatMessage, ...], settings: ChatSettings) -> str:
        """Asked at the end of the chat itself, whose prompt is in memory: so next to nothing has to be read."""
        asked = request_for((*prompt_for(branch, settings), Message("user", TASK)), settings)
        async with engine.submit(_quietly(asked)) as stream:
            text, finished = await stream.collect()
        return text if finished.reason == "stop" else ""


def _quietly(request: ChatRequest) -> ChatRequest:
    calm = Sampling(temperature=0.2)
    return replace(request, sampling=calm, thinking=False, max_tokens=MOST_TOKENS, background=True)


def title_in(written: str, texts: list[str]) -> str:
    """The title in what a model wrote about a chat of these texts; "" where it is none.

    Small models write anything: more than a title, the answer once more, or what has nothing to do with the chat."""
    line = _THOUGHT.sub("", written).strip()
    if not line or len(line.splitlines()) > 1:
        return ""
    line = _PREFIX.sub("", line.strip(_QUOTES + " ")).strip(_QUOTES + " ").rstrip(".")
    if not line or len(line) > LONGEST or not any(letter.isalpha() for letter in line):
        return ""
    if any(_plain(text).startswith(_plain(line)) for text in texts[1:]) or _plain(line) in _plain(TASK):
        return ""
    said = " ".join(texts).casefold()
    words = _WORD.findall(line.casefold()) if line.isascii() else []
    if words and not any(word[:_STEM] in said for word in words):
        return ""
    return shortened(line)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
