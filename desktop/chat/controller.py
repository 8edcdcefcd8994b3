"""The conversation as the window sees it: one chat is open, answers may be written in several."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from desktop import sentences
from desktop.chat.answer import Answer
from desktop.chat.chat_list import ChatList
from desktop.chat.keeper import Keeper
from desktop.chat.message_list import MessageList
from desktop.chat.tree import Conversation, title_of
from desktop.compose.prompt import prompt_for
from desktop.models.controller import ModelController
from desktop.store.errors import StoreError
from desktop.store.records import Attachment, Chat, ChatMessage, ChatSettings, Role, State
from desktop.store.store import Store
from desktop.tasks import TaskSet
from engine.requests import ChatRequest, Sampling

RETRIABLE: frozenset[State] = frozenset({"failed", "cut", "stopped"})


@dataclass
class Session:
    """A chat in memory, with the answer that is being written in it, if any."""

    chat: Chat
    conversation: Conversation
    answer: Answer | None = None


def _new_id() -> str:
    return uuid.uuid4().hex


class ChatController(QObject):
    """One per window. `messages` and `chats` are what it shows. GUI thread only.

    `prepare(texts)` is called on a pool thread before messages are shown, so that drawing them costs less."""

    opened = Signal(object)
    """The `Chat` that is open now, or changed its title; None for a chat that is not begun."""
    answering_changed = Signal(bool)
    """Whether an answer is being written in the open chat."""
    usage_changed = Signal(int)
    """Tokens that the open chat takes of the model's context; 0 where that is not known."""
    speed_measured = Signal(float)
    """Tokens per second of the answer that has just ended."""
    failed = Signal(object)

    def __init__(self, store: Store, models: ModelController, prepare: Callable[[Sequence[str]], None]) -> None:
        super().__init__()
        self.messages = MessageList(self)
        self.chats = ChatList(sentences.heading, parent=self)
        self.chats.renamed.connect(self.rename)
        self._store = store
        self._models = models
        self._prepare = prepare
        self._keeper = Keeper(store, self.failed.emit)
        self._tasks = TaskSet(lambda error, _: self.failed.emit(error))
        self._answers = TaskSet(lambda error, _: self.failed.emit(error))
        self._known: dict[str, Chat] = {}
        self._live: dict[str, Session] = {}
        self._current: Session | None = None
        self._wanted: str | None = None
        self._settings = ChatSettings()

    @property
    def settings(self) -> ChatSettings:
        """Of the open chat, or of the one that begins."""
        return self._current.chat.settings if self._current else self._settings

    def change_settings(self, settings: ChatSettings) -> None:
        """Takes effect with the next answer."""
        if self._current is None:
            self._settings = settings
            self.opened.emit(None)
        else:
            self._change(self._current.chat.id, settings=settings)

    @property
    def current(self) -> Chat | None:
        return self._current.chat if self._current else None

    @property
    def answering(self) -> bool:
        return self._current is not None and self._current.answer is not None

    async def read_chats(self) -> None:
        """Fills the sidebar's list from the store. Raises StoreError."""
        self._known |= {chat.id: chat for chat in await self._store.chats()}
        self._list_chats()

    def new_chat(self) -> None:
        """Leaves the open chat; the next message begins a new one."""
        self._wanted = None
        self._settings = ChatSettings()
        self._show(None)

    def open_chat(self, chat_id: str) -> None:
        if chat_id in self._known and (self._current is None or self._current.chat.id != chat_id):
            self._wanted = chat_id
            self._tasks.spawn(self._open(chat_id), f"open chat {chat_id}")

    def send(self, text: str, attachments: Sequence[Attachment] = ()) -> bool:
        """Takes a message and has it answered; while the model is still loading, as soon as it is there.

        False, and nothing is done, for an empty text or while an answer is being written in the open chat."""
        text = text.strip()
        if not (text or attachments) or self.answering:
            return False
        session = self._current or self._begin(text or attachments[0].name)
        message = self._message(session, "user", text, session.conversation.leaf_id, "complete")
        message = replace(message, attachments=tuple(attachments))
        session.conversation.put(message)
        answer = self._message(session, "assistant", "", message.id, "streaming")
        session.conversation.put(answer)
        session.chat = replace(session.chat, updated_s=message.created_s, leaf_id=answer.id)
        self.messages.append(message, answer)
        self._write(session, answer, message)
        return True

    def retry(self, message_id: str) -> None:
        """Writes the last answer of the open chat once more, beside the one that did not come to its end."""
        session = self._current
        if session is None or self.answering or session.conversation.leaf_id != message_id:
            return
        old = session.conversation[message_id]
        if old.role != "assistant" or old.state not in RETRIABLE:
            return
        answer = self._message(session, "assistant", "", old.parent_id, "streaming")
        session.conversation.put(answer)
        session.chat = replace(session.chat, leaf_id=answer.id)
        self.messages.show(session.conversation.branch())
        self._write(session, answer)

    def stop(self) -> None:
        """Ends the answer in the open chat; what was written stays. Idempotent."""
        if self._current is not None and self._current.answer is not None:
            self._current.answer.stop()

    def rename(self, chat_id: str, title: str) -> None:
        self._change(chat_id, title=title)

    def pin(self, chat_id: str, pinned: bool) -> None:
        self._change(chat_id, pinned=pinned)

    def delete(self, chat_id: str) -> Chat | None:
        """Takes the chat away and returns it; `restore` brings it back as long as the app runs."""
        if (session := self._live.get(chat_id)) and session.answer is not None:
            session.answer.stop()
        chat = self._known.pop(chat_id, None)
        if self._current is not None and self._current.chat.id == chat_id:
            self.new_chat()
        self._list_chats()
        self._tasks.spawn(self._store.delete(chat_id), f"delete chat {chat_id}")
        return chat

    def restore(self, chat: Chat) -> None:
        self._known[chat.id] = chat
        self._list_chats()
        self._tasks.spawn(self._store.restore(chat.id), f"restore chat {chat.id}")

    async def aclose(self) -> None:
        """Stops every answer and waits until all that was asked for is kept. Idempotent."""
        for session in list(self._live.values()):
            if session.answer is not None:
                session.answer.stop()
        await self._answers.join()
        await self._tasks.join()  # a title given, or a chat brought back, in the last moment
        await self._tasks.aclose()

    def _begin(self, text: str) -> Session:
        now = time.time()
        chat = Chat(_new_id(), title_of(text), now, now, settings=self._settings)
        self._current = Session(chat, Conversation())
        return self._current

    def _message(self, session: Session, role: Role, text: str, parent_id: str | None, state: State) -> ChatMessage:
        return ChatMessage(_new_id(), session.chat.id, parent_id, role, text, state, time.time())

    def _write(self, session: Session, message: ChatMessage, *before: ChatMessage) -> None:
        def changed(now: ChatMessage) -> None:
            session.conversation.put(now)
            if session is self._current:
                self.messages.replace(now)
            if now.state != "streaming":
                self._ended(session, now)

        async def save(now: ChatMessage) -> None:
            await self._keeper.save(session.chat, now)

        session.answer = Answer(message, changed, save)
        self._live[session.chat.id] = session
        self._known[session.chat.id] = session.chat
        self._list_chats()
        self._announce()
        self._answers.spawn(self._answer(session, session.answer, before), f"answer {message.id}")

    async def _answer(self, session: Session, answer: Answer, before: Sequence[ChatMessage]) -> None:
        await self._keeper.save(session.chat, *before, answer.message)
        branch, settings = session.conversation.branch(), session.chat.settings
        left_out: tuple[int, ...] = ()
        if settings.leaves_out and self._models.status.state == "ready":
            left_out = (await (await self._models.ready()).fit(prompt_for(branch, settings))).left_out
        request = ChatRequest(prompt_for(branch, settings, left_out), "window", Sampling())
        await answer.run(self._tasks, self._models.ready, request)

    def _ended(self, session: Session, answer: ChatMessage) -> None:
        """The answer has its last word, though it may not be on disk yet."""
        session.answer = None
        self._live.pop(session.chat.id, None)
        self._mark()
        if session is self._current:
            self._announce()
        if answer.n_output > 1 and answer.decode_s > 0:
            self.speed_measured.emit(answer.n_output / answer.decode_s)

    async def _open(self, chat_id: str) -> None:
        session = self._live.get(chat_id)
        if session is None:
            try:
                messages = await self._store.messages(chat_id)
            except StoreError as error:
                self.failed.emit(error)
                return
            chat = self._known.get(chat_id)
            if chat is None:
                return
            session = Session(chat, Conversation(messages, chat.leaf_id))
        texts = [message.text for message in session.conversation.branch()]
        await asyncio.get_running_loop().run_in_executor(None, self._prepare, texts)
        if self._wanted == chat_id:
            self._show(self._live.get(chat_id, session))

    def _show(self, session: Session | None) -> None:
        self._current = session
        self.messages.show(session.conversation.branch() if session else ())
        self._mark()
        self._announce()

    def _announce(self) -> None:
        self.opened.emit(self.current)
        self.answering_changed.emit(self.answering)
        last = next((row for row in reversed(self.messages) if row.n_output), None)
        self.usage_changed.emit(last.n_prompt + last.n_output if last else 0)

    def _change(self, chat_id: str, **changes: object) -> None:
        chat = self._known.get(chat_id)
        if chat is None:
            return
        chat = self._known[chat_id] = replace(chat, **changes)  # type: ignore[arg-type]
        for session in (self._live.get(chat_id), self._current):
            if session is not None and session.chat.id == chat_id:
                session.chat = chat
        self._list_chats()
        if self.current == chat:
            self.opened.emit(chat)
        self._tasks.spawn(self._keeper.save(chat), f"save chat {chat_id}")

    def _list_chats(self) -> None:
        self.chats.show(self._known.values())
        self._mark()

    def _mark(self) -> None:
        self.chats.mark(self._current.chat.id if self._current else None, self._live)
