"""Titles by the model, made in the background when a chat has its first answer."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop.chat.prompt import request_for
from desktop.chat.prompt_messages import prompt_for
from desktop.chat.session import ChatSession
from desktop.chat.titles import MAX_TITLE_COLUMNS, columns, has_open_quote, title_of
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from desktop.store.records import ChatMessage, ChatSettings
from engine.errors import EngineError, RequestError
from engine.redacted_traceback import redacted_traceback
from engine.requests import ChatRequest, Message, Sampling

if TYPE_CHECKING:
    from engine.engine import Engine

log = logging.getLogger(__name__)

TASK = "Give this conversation a short title of two to five words."
START = 'Title: "'
"""How the answer begins, so that also a small model writes a title and not another answer."""
STOPS = ('"', "\n")
"""Both are read or written by the model, so they are not translated."""

MAX_TOKENS = 20
MAX_WORDS = 5
"""A model that writes more has not written a title."""

LATEST = 4
"""A chat of more messages keeps the title that it has."""

_PREFIX = re.compile(r"^(?:(?:chat |conversation )?title|subject)\s*[:\-–]\s*", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the|an?|der|die|das|eine?)\s+", re.IGNORECASE)
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)
_QUOTES = "\"'“”‘’«»„`*_#"
_WORD = re.compile(r"\w{4,}")
_STEM = 4


class TitleGenerator:
    """`retitle(chat_id, title)` gets a title that is worth it. One is made at a time. Loop's thread only."""

    def __init__(self, models: ModelController, retitle: Callable[[str, str], None]) -> None:
        self._models = models
        self._retitle = retitle
        self._tasks = TaskSet(lambda error, name: log.error("%s failed\n%s", name, redacted_traceback(error)))
        self._task: asyncio.Task[object] | None = None
        self._done: set[str] = set()
        self._wanted: dict[str, tuple[tuple[ChatMessage, ...], ChatSettings]] = {}
        """Chats whose title is to be made, the next one last; what was cancelled is made later."""

    def after(self, session: ChatSession, answer: ChatMessage) -> None:
        """Where this answer is the first of a chat that nobody gave a title, one is made; then those that had to
        wait."""
        if _deserves_title(session, answer) and session.chat.id not in self._done:
            self._wanted[session.chat.id] = (tuple(session.conversation.branch()), session.chat.settings)
        if self._wanted and (self._task is None or self._task.done()):
            self._task = self._tasks.spawn(self._make_all(), "make titles")

    def cancel(self) -> None:
        """Cancels the title, which is made after the next answer: requests of the person have priority. Idempotent."""
        self._tasks.cancel()
        self._task = None

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def _make_all(self) -> None:
        while self._wanted:
            chat_id, (branch, settings) = next(reversed(self._wanted.items()))
            try:
                written = await self._ask(await self._models.ready(), branch, settings)
            except RequestError:
                written = ""  # the same question would fail again
            except EngineError:
                return
            self._wanted.pop(chat_id, None)
            self._done.add(chat_id)
            if title := title_in(written, [message.text for message in branch]):
                self._retitle(chat_id, title)

    async def _ask(self, engine: Engine, branch: tuple[ChatMessage, ...], settings: ChatSettings) -> str:
        """Asked at the end of the chat itself, whose prompt is in memory: so next to nothing has to be read."""
        asked = request_for((*prompt_for(branch, settings), Message("user", TASK)), settings)
        async with engine.submit(_quietly(asked)) as stream:
            text, finished = await stream.collect()
        return text if finished.reason == "stop" else ""


def _deserves_title(session: ChatSession, answer: ChatMessage) -> bool:
    chat, branch = session.chat, session.conversation.branch()
    if chat.titled_by != "start" or answer.state != "complete" or not answer.text:
        return False
    if session.is_live or len(branch) > LATEST or branch[-1].id != answer.id or branch[0].role != "user":
        return False
    words = branch[0].text or "".join(each.name for each in branch[0].attachments[:1])
    return chat.title == title_of(words)  # else it is a person's, of a time when that was not noted


def _quietly(request: ChatRequest) -> ChatRequest:
    calm = replace(request, sampling=Sampling(temperature=0.2), thinking=False, background=True)
    return replace(calm, answer_start=START, stop=STOPS, max_tokens=MAX_TOKENS)


def title_in(written: str, texts: list[str]) -> str:
    """The title in what a model wrote about a chat of these texts; "" where it is none.

    Small models write anything: more than a title, the answer once more, or what has nothing to do with the chat."""
    line = _THOUGHT.sub("", written).strip()
    if not line or len(line.splitlines()) > 1:
        return ""
    line = _PREFIX.sub("", line.strip(_QUOTES + " ")).strip(_QUOTES + " ").rstrip(".")
    line = _fitted(line)
    if not any(letter.isalpha() for letter in line) or has_open_quote(line) or line.endswith((",", ";", ":", "…")):
        return ""
    if any(_plain(text).startswith(_plain(line)) for text in texts[1:]) or _plain(line) in _plain(TASK):
        return ""
    said = " ".join(texts).casefold()
    words = _WORD.findall(line.casefold()) if line.isascii() else []
    if 2 * sum(word[:_STEM] in said for word in words) < len(words):
        return ""
    return line


def _fitted(line: str) -> str:
    """The title, without an article at its beginning or a subtitle where it is too long; "" where it still is."""
    for shorter in (line, line.partition(": ")[0], _ARTICLE.sub("", line)):
        words = shorter.split()
        if len(words) <= MAX_WORDS and columns(shorter) <= MAX_TITLE_COLUMNS:
            return " ".join(words)[:1].upper() + " ".join(words)[1:]
    return ""


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
