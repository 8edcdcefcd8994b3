"""Titles of chats. A new chat is titled after the first words of its first message; later the model generates a
title."""

from __future__ import annotations

import asyncio
import logging
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from desktop.chat.answer_writer import ChatSession
from desktop.chat.prompt import chat_request, prompt_messages
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from desktop.store.records import ChatMessage, ChatSettings
from engine.errors import EngineError, RequestError
from engine.redacted_traceback import redacted_traceback
from engine.requests import ChatRequest, Message, Sampling

if TYPE_CHECKING:
    from engine.chat_engine import Capabilities, ChatEngine

log = logging.getLogger(__name__)

MAX_TITLE_COLUMNS = 30
"""Maximum width of a title in columns, so that it fits into the sidebar. East Asian wide characters take two
columns."""

DOUBLE_QUOTES = '"“”„«»'
MIN_CUT_WORDS = 2
_ENGLISH = (
    "a an the of to in on at by for from with about into and or but if as is are was were that which my your his her "
    "its our their this these those whose who when where while because so than then"
)
_GERMAN = (
    "ein eine einen einem einer der die das den dem des und oder aber von vom zu zum zur im in am an auf aus bei mit "
    "nach für über ist sind war dass mein meine dein deine sein seine ihr ihre"
)
_DANGLING = frozenset((*_ENGLISH.split(), *_GERMAN.split()))
"""Words that must not be the last word of a shortened title."""

TASK = "Give this conversation a short title of two to five words."
ANSWER_START = 'Title: "'
"""Start of the answer. The model gets it, because small models otherwise write more than a title. Like `TASK` it is
part of the prompt, so it is not translated."""
STOPS = ('"', "\n")
MAX_TOKENS = 20
MAX_WORDS = 5
"""A generated text with more words is not accepted as a title."""
MAX_MESSAGES = 4
"""A chat with more messages keeps its title."""

_PREFIX = re.compile(r"^(?:(?:chat |conversation )?title|subject)\s*[:\-–]\s*", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the|an?|der|die|das|eine?)\s+", re.IGNORECASE)
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)
_QUOTES = "\"'“”‘’«»„`*_#"
_WORD = re.compile(r"\w{4,}")
_STEM_LENGTH = 4


def title_of(text: str) -> str:
    """Title of a new chat: the first words of its first message."""
    return shortened(next((line for line in text.splitlines() if line.strip()), ""))


def shortened(line: str) -> str:
    """The line without repeated spaces. If it is too long, its first words and an ellipsis."""
    words = line.lstrip("#>*- \t").split() or line.split()
    kept = words[:MAX_TITLE_COLUMNS]
    while len(kept) > 1 and columns(" ".join(kept)) > MAX_TITLE_COLUMNS:
        kept.pop()
    if len(kept) == len(words) and columns(words[0] if words else "") <= MAX_TITLE_COLUMNS:
        return " ".join(words)
    while len(kept) > MIN_CUT_WORDS and kept[-1].casefold().strip(".,;:!?") in _DANGLING:
        kept.pop()
    text = _cut_to_width(" ".join(kept))
    if has_unbalanced_quotes(text):
        text = "".join(letter for letter in text if letter not in DOUBLE_QUOTES)
    return text.rstrip(" .,;:!?-–(") + "…"


def columns(text: str) -> int:
    """Width of the text in columns. East Asian wide characters take two columns."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def has_unbalanced_quotes(text: str) -> bool:
    return sum(letter in DOUBLE_QUOTES for letter in text) % 2 == 1


def _cut_to_width(text: str) -> str:
    text = text[:MAX_TITLE_COLUMNS]
    while columns(text) > MAX_TITLE_COLUMNS:
        text = text[:-1]
    return text


@dataclass(frozen=True, slots=True)
class _PendingTitle:
    """A chat that waits for a title: its shown branch, its settings, and the model that wrote its last answer.
    `host` is the machine on which it ran; "" for this app."""

    branch: tuple[ChatMessage, ...]
    settings: ChatSettings
    model_id: str
    host: str


class TitleGenerator:
    """Generates titles of chats with the model, one at a time. A chat gets its title after its first answer. Event-loop
    thread only.

    `set_title(chat_id, title)` is called for each title that can be used."""

    def __init__(self, models: ModelController, set_title: Callable[[str, str], None]) -> None:
        self._models = models
        self._set_title = set_title
        self._tasks = TaskSet(lambda error, name: log.error("%s failed\n%s", name, redacted_traceback(error)))
        self._task: asyncio.Task[object] | None = None
        self._done: set[str] = set()
        self._pending: dict[str, _PendingTitle] = {}
        """Chats that wait for a generated title, by chat id. The last chat is the next one to get a title. A chat stays
        here if the generation of its title was cancelled."""

    def answer_ended(self, session: ChatSession, answer: ChatMessage) -> None:
        """Call this when an answer has ended. Generates a title for its chat, if the chat is short and the model has
        not given it a title yet. Then generates the titles that other chats still wait for."""
        if _needs_title(session, answer) and session.chat.id not in self._done:
            branch = tuple(session.conversation.branch())
            self._pending[session.chat.id] = _PendingTitle(branch, session.chat.settings, answer.model_id, answer.host)
        if self._pending and (self._task is None or self._task.done()):
            self._task = self._tasks.spawn(self._generate_pending(), "make titles")

    def cancel(self) -> None:
        """Postpone the generation of titles until the next answer has ended, because messages have priority.
        Idempotent."""
        self._tasks.cancel()
        self._task = None

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def _generate_pending(self) -> None:
        while self._pending:
            chat_id, pending = next(reversed(self._pending.items()))
            try:
                written = await self._generate(await self._models.ready(), pending)
            except RequestError:
                written = ""  # the same request would fail again if it were repeated
            except EngineError:
                return
            self._pending.pop(chat_id, None)
            self._done.add(chat_id)
            if title := accepted_title(written, [message.text for message in pending.branch]):
                self._set_title(chat_id, title)

    async def _generate(self, engine: ChatEngine, pending: _PendingTitle) -> str:
        """Let the model generate a title. The request is one more message at the end of the chat, so that the cached
        prompt of the chat is reused. A model on another machine gets only chats that it has answered; for others this
        returns ""."""
        model = engine.status.model
        if model is None or (model.host and (model.id, model.host) != (pending.model_id, pending.host)):
            return ""
        messages = (*prompt_messages(pending.branch, pending.settings), Message("user", TASK))
        request = _title_request(chat_request(messages, pending.settings), engine.capabilities)
        async with engine.submit(request) as stream:
            text, finished = await stream.collect()
        return text if finished.reason == "stop" else ""


def _needs_title(session: ChatSession, answer: ChatMessage) -> bool:
    chat, branch = session.chat, session.conversation.branch()
    if chat.titled_by != "start" or answer.state != "complete" or not answer.text:
        return False
    if session.is_answering or len(branch) > MAX_MESSAGES or branch[-1].id != answer.id or branch[0].role != "user":
        return False
    text = branch[0].text or "".join(each.name for each in branch[0].attachments[:1])
    # A different title was set by the user in an old version of the app, which did not store `titled_by`.
    return chat.title == title_of(text)


def _title_request(request: ChatRequest, capabilities: Capabilities) -> ChatRequest:
    request = replace(request, sampling=Sampling(temperature=0.2), thinking=False, background=True)
    if not capabilities.answer_start:
        return replace(request, stop=("\n",), max_tokens=MAX_TOKENS)
    return replace(request, answer_start=ANSWER_START, stop=STOPS, max_tokens=MAX_TOKENS)


def accepted_title(written: str, texts: list[str]) -> str:
    """Extract the title from the text that a model wrote about a chat with these messages; "" if there is no acceptable
    title.

    Small models also write more than a title, repeat the answer, or write something unrelated to the chat."""
    line = _THOUGHT.sub("", written).strip()
    if not line or len(line.splitlines()) > 1:
        return ""
    line = _PREFIX.sub("", line.strip(_QUOTES + " ")).strip(_QUOTES + " ").rstrip(".")
    line = _fitted(line)
    if (
        not any(letter.isalpha() for letter in line)
        or has_unbalanced_quotes(line)
        or line.endswith((",", ";", ":", "…"))
    ):
        return ""
    if any(_normalized(text).startswith(_normalized(line)) for text in texts[1:]):
        return ""
    if _normalized(line) in _normalized(TASK):
        return ""
    chat_text = " ".join(texts).casefold()
    words = _WORD.findall(line.casefold()) if line.isascii() else []
    if 2 * sum(word[:_STEM_LENGTH] in chat_text for word in words) < len(words):
        return ""
    return line


def _fitted(line: str) -> str:
    """The title if it is short enough, otherwise without its subtitle or its leading article; "" if it is still too
    long."""
    for shorter in (line, line.partition(": ")[0], _ARTICLE.sub("", line)):
        words = shorter.split()
        if len(words) <= MAX_WORDS and columns(shorter) <= MAX_TITLE_COLUMNS:
            return " ".join(words)[:1].upper() + " ".join(words)[1:]
    return ""


def _normalized(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
