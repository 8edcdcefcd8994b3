"""The chats in memory: opens chats, changes their records, and reports every change of an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from desktop.chat.answer_writer import AnswerWriter, ChatSession
from desktop.chat.conversation import Conversation, new_id
from desktop.chat.message_list import MessageList
from desktop.chat.titles import TitleGenerator, title_of
from desktop.chat.waiting import Waiting
from desktop.chat.write_behind_queue import WriteBehindQueue
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from desktop.store.errors import StoreError
from desktop.store.records import Chat, ChatMessage, ChatSettings, Role
from desktop.store.store import Store


class ChatSessions(QObject):
    """All chats of the window, one of which may be open. GUI thread only.

    `prepare(texts)` is called on a pool thread before messages are shown. It does work that would otherwise delay
    drawing them."""

    opened = Signal(object)
    """Emitted with the `Chat` that is open now, or whose title or settings have changed. None stands for a new chat
    without messages."""
    leaving = Signal()
    """Emitted before another chat is opened or the open chat is deleted. At this time the open chat can still be
    changed."""
    answering_changed = Signal(bool)
    """Emitted with True if an answer is being written in the open chat, else with False."""
    usage_changed = Signal(int)
    """Emitted with the number of context tokens that the open chat uses; 0 if this is unknown."""
    speed_measured = Signal(float)
    """Emitted when an answer of the model of the window has ended, with its speed in tokens per second."""
    answer_changed = Signal(object)
    """Emitted with each new state of an answer in any chat, including the final state. The argument is a
    `ChatMessage`."""
    message_focused = Signal(str)
    """Emitted with the id of a message in the open chat that should be scrolled into view."""
    saved = Signal()
    """Emitted when an answer that has ended, or a changed chat, is on disk."""
    chats_changed = Signal()
    """Emitted when `chats_by_id` has changed."""
    marks_changed = Signal()
    """Emitted when `marked_id` or `live` has changed."""
    stop_requested = Signal(str)
    """Emitted with the id of a chat whose answers were stopped. They end a little later."""
    failed = Signal(object)
    saving_failed = Signal(object)
    """Emitted with a `StoreError` when chats cannot be saved. Saving is tried again."""
    saving_resumed = Signal()

    def __init__(self, store: Store, models: ModelController, prepare: Callable[[Sequence[str]], None]) -> None:
        super().__init__()
        self.messages = MessageList(self)
        self.chats_by_id: dict[str, Chat] = {}
        """All chats by id."""
        self.session: ChatSession | None = None
        """The open chat; None for a new chat without messages."""
        self.store = store
        self.write_queue = WriteBehindQueue(store, self.saving_failed.emit, recovered=self.saving_resumed.emit)
        self.tasks = TaskSet(lambda error, _: self.failed.emit(error))
        self.title_generator = TitleGenerator(models, self._set_generated_title)
        self.answer_writer = AnswerWriter(
            models, self.write_queue, self._show_answer, self.saved.emit, self.failed.emit
        )
        self._prepare = prepare
        self._opening_id: str | None = None
        self._next_settings = ChatSettings()
        self._next_folder_id = ""

    @property
    def current(self) -> Chat | None:
        return self.session.chat if self.session else None

    @property
    def marked_id(self) -> str | None:
        """Id of the chat that the chat list marks: the one being opened, or else the open one."""
        return self._opening_id or (self.session.chat.id if self.session else None)

    @property
    def live(self) -> dict[str, ChatSession]:
        """Sessions in which at least one answer is being written, by chat id."""
        return self.answer_writer.live

    @property
    def answering(self) -> bool:
        return self.session is not None and self.session.is_answering

    @property
    def stopping(self) -> bool:
        """Whether all answers that are being written in the open chat were stopped and have not ended yet."""
        answers = self.session.answers.values() if self.session is not None else ()
        return bool(answers) and all(answer.waiting.stage == "stopping" for answer in answers)

    @property
    def settings(self) -> ChatSettings:
        """Settings of the open chat. If no chat is open, settings for the chat that the next message creates."""
        return self.session.chat.settings if self.session else self._next_settings

    def chat(self, chat_id: str) -> Chat | None:
        return self.chats_by_id.get(chat_id)

    def waiting(self, message_id: str) -> Waiting:
        """What this answer waits for. The answer may be in any chat."""
        return self.answer_writer.waiting(message_id)

    async def load(self) -> None:
        """Read the list of chats from the store. Raises StoreError."""
        self.chats_by_id |= {chat.id: chat for chat in await self.store.chats()}
        self.chats_changed.emit()

    async def aclose(self) -> None:
        """Stop all answers, and wait until everything is saved. Idempotent."""
        await self.title_generator.aclose()
        await self.answer_writer.aclose()
        await self.tasks.join()  # changes that were made shortly before closing are finished first
        await self.tasks.aclose()
        await self.write_queue.aclose()

    def new_chat(self, folder_id: str = "") -> None:
        """Leave the open chat. The next message then creates a chat in the folder `folder_id`."""
        self.leaving.emit()
        self._opening_id = None
        self._next_folder_id = folder_id
        self._next_settings = ChatSettings()
        self._show_session(None)

    def open_chat(self, chat_id: str, message_id: str = "") -> None:
        """Open a chat. If `message_id` is given, show the branch with this message and scroll to the message."""
        if self.session is not None and self.session.chat.id == chat_id:
            self._focus_message(message_id)
        elif chat_id in self.chats_by_id:
            self._opening_id = chat_id
            self.marks_changed.emit()
            self.tasks.spawn(self._open(chat_id, message_id), f"open chat {chat_id}")

    def begin(self, text: str) -> ChatSession:
        """Create a chat and open it. Its title is made from the first words of `text`."""
        now_s = time.time()
        settings, self._next_settings = self._next_settings, ChatSettings()
        folder_id, self._next_folder_id = self._next_folder_id, ""
        chat = Chat(new_id(), title_of(text), now_s, now_s, settings=settings, folder_id=folder_id)
        self.session = ChatSession(chat, Conversation())
        self._opening_id = None
        return self.session

    async def session_of(self, chat_id: str) -> ChatSession | None:
        """The session of a chat, read from the store if it is not in memory. Returns None if the chat is deleted or
        cannot be read. If it cannot be read, `failed` is emitted."""
        if (live := self.live.get(chat_id)) is not None:
            return live
        try:
            messages = await self.store.messages(chat_id)
        except StoreError as error:
            self.failed.emit(error)
            return None
        chat = self.chats_by_id.get(chat_id)
        if chat is None:
            return None
        if self.session is not None and self.session.chat.id == chat_id:
            return self.session  # the user has opened the chat while it was read
        # At startup, the store marks unfinished answers as cut. The store cannot do so on a full disk, so they are
        # marked here too.
        cut = [replace(each, state="cut") if each.state == "streaming" else each for each in messages]
        return self.live.get(chat_id) or ChatSession(chat, Conversation(cut, chat.leaf_id))

    async def _open(self, chat_id: str, message_id: str) -> None:
        session = await self.session_of(chat_id)
        if session is None:
            if self._opening_id == chat_id:
                self._opening_id = None
                self.marks_changed.emit()
            return
        texts = [message.text for message in session.conversation.branch()]
        await asyncio.get_running_loop().run_in_executor(None, self._prepare, texts)
        if self._opening_id != chat_id:
            return
        session = self.live.get(chat_id, session)
        if (chat := self.chats_by_id.get(chat_id)) is not None and chat.leaf_id != session.chat.leaf_id:
            await self._open(chat_id, message_id)  # a message was sent in this chat while the chat was read
        else:
            self.leaving.emit()
            self._show_session(session)
            self._focus_message(message_id)

    def _show_session(self, session: ChatSession | None) -> None:
        self.session = session
        self.show_branch()
        self.marks_changed.emit()
        self.announce()

    def _focus_message(self, message_id: str) -> None:
        if self.session is None or message_id not in self.session.conversation:
            return
        if all(row.id != message_id for row in self.session.conversation.branch()):
            self.session.conversation.show(message_id)
            self.show_branch()
        self.message_focused.emit(message_id)

    def show_branch(self) -> None:
        """Update the message list to the shown branch of the open chat."""
        if self.session is None:
            self.messages.show(())
        else:
            conversation = self.session.conversation
            self.messages.show(conversation.branch(), conversation.versions(), conversation.side_by_side())

    def announce(self) -> None:
        """Emit the signals that describe the open chat: `opened`, `answering_changed` and `usage_changed`."""
        self.opened.emit(self.current)
        self.answering_changed.emit(self.answering)
        last = next((row for row in reversed(self.messages.rows) if row.n_output), None)
        self.usage_changed.emit(last.n_prompt + last.n_output if last else 0)

    def rename(self, chat_id: str, title: str) -> None:
        self._change(chat_id, title=title, titled_by="person")

    def change_settings(self, settings: ChatSettings) -> None:
        """Set the settings of the open chat. If no chat is open, set them for the chat that the next message
        creates."""
        if self.session is not None:
            self._change(self.session.chat.id, settings=settings)
        else:
            self._next_settings = settings
            self.opened.emit(None)

    def set_summary(self, chat_id: str, summary: str, last_row_id: str) -> ChatSettings | None:
        """Replace the messages up to `last_row_id` by a summary in later prompts. Returns the new settings of the chat,
        or None if the chat is deleted."""
        chat = self.chats_by_id.get(chat_id)
        if chat is None:
            return None
        settings = replace(chat.settings, summary=summary, summarised_to=last_row_id)
        self._change(chat_id, settings=settings)
        return settings

    def update_chats(self, chats: Sequence[Chat]) -> None:
        """Replace the records of these chats, show the new ones and save them."""
        for chat in chats:
            self.chats_by_id[chat.id] = chat
            for session in (self.live.get(chat.id), self.session):
                if session is not None and session.chat.id == chat.id:
                    session.chat = chat
        self.chats_changed.emit()
        if self.current in chats:
            self.opened.emit(self.current)
        self.tasks.spawn(self._save_chats(chats), "save changed chats")

    def update_leaf(self, session: ChatSession, **changes: object) -> None:
        """Update the record of a chat in memory: set the leaf of the shown branch, and the fields in `changes`. The
        next save of the chat writes the record to the store."""
        session.chat = replace(session.chat, leaf_id=session.conversation.leaf_id, **changes)  # type: ignore[arg-type]
        self.chats_by_id[session.chat.id] = session.chat
        self.chats_changed.emit()

    async def add_chat(self, system: str, messages: Sequence[tuple[Role, str]]) -> Chat:
        """Create and save a chat with these instructions and messages, oldest first. Raises StoreError."""
        now_s, chat_id = time.time(), new_id()
        rows: list[ChatMessage] = []
        for role, text in messages:
            parent_id = rows[-1].id if rows else None
            rows.append(ChatMessage(new_id(), chat_id, parent_id, role, text, "complete", now_s))
        title = title_of(next((text for role, text in messages if role == "user"), ""))
        leaf_id = rows[-1].id if rows else None
        chat = Chat(chat_id, title, now_s, now_s, leaf_id=leaf_id, settings=ChatSettings(system=system))
        await self.store.save(chat, rows)
        self.chats_by_id[chat.id] = chat
        self.chats_changed.emit()
        return chat

    def _set_generated_title(self, chat_id: str, title: str) -> None:
        """Set the title that the model generated, unless the user has set one meanwhile."""
        if (chat := self.chats_by_id.get(chat_id)) is not None and chat.titled_by == "start":
            self._change(chat_id, title=title, titled_by="model")

    def _change(self, chat_id: str, **changes: object) -> None:
        if (chat := self.chats_by_id.get(chat_id)) is not None:
            self.update_chats([replace(chat, **changes)])  # type: ignore[arg-type]

    async def _save_chats(self, chats: Sequence[Chat]) -> None:
        await self.write_queue.save_all(chats)
        self.saved.emit()

    def stop_chat(self, chat_id: str) -> None:
        """Stop all answers in this chat, whether it is open or not, and keep their text. Idempotent."""
        if (session := self.live.get(chat_id)) is not None:
            session.stop()
            self.stop_requested.emit(chat_id)

    def stop_answer(self, message_id: str) -> None:
        """Stop one answer, in any chat, and keep its text. Idempotent."""
        for session in self.live.values():
            if (answer := session.answers.get(message_id)) is not None:
                answer.stop()
                self.stop_requested.emit(session.chat.id)
                return

    def _show_answer(self, session: ChatSession, message: ChatMessage) -> None:
        """Show a new state of an answer and emit the signals for it. The final state may not be on disk yet."""
        self.answer_changed.emit(message)
        if session is self.session:
            self.messages.replace(message)
            for shown_id, group in session.conversation.side_by_side().items():
                if message.group_id and message.group_id == group[0].group_id:
                    self.messages.show_alternatives(shown_id, group)
        if message.state == "streaming":
            if session is self.session and message.n_output:
                self.usage_changed.emit(message.n_prompt + message.n_output)
            return
        self.marks_changed.emit()
        if session is self.session:
            self.announce()
        is_compared = message.id in session.conversation and session.conversation.is_compared(message.id)
        if message.state != "failed" and message.n_output > 1 and message.decode_s > 0 and not is_compared:
            self.speed_measured.emit(message.n_output / message.decode_s)
        self.title_generator.answer_ended(session, message)
