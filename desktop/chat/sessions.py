"""What the window's chats are now: which are listed, which one is open, what is being written in which."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from desktop.chat.answer_writer import AnswerWriter
from desktop.chat.conversation import Conversation
from desktop.chat.message_list import MessageList
from desktop.chat.session import ChatSession, new_id
from desktop.chat.title_generator import TitleGenerator
from desktop.chat.waiting import Waiting
from desktop.chat.write_behind_queue import WriteBehindQueue
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from desktop.sidebar.chat_list_model import ChatListModel
from desktop.sidebar.day_change import DayChange
from desktop.sidebar.strings import row_description, section_heading
from desktop.store.errors import StoreError
from desktop.store.records import Chat, ChatMessage, ChatSettings, Folder, Role, State
from desktop.store.store import Store


class ChatSessions(QObject):
    """Lists, opens and keeps chats; `ChatController` adds what the person does in one. GUI thread only.

    `prepare(texts)` is called on a pool thread before messages are shown, so that drawing them costs less."""

    opened = Signal(object)
    """The `Chat` that is open now, or changed its title or settings; None for a chat that is not begun."""
    answering_changed = Signal(bool)
    """Whether an answer is being written in the open chat."""
    usage_changed = Signal(int)
    """Tokens that the open chat takes of the model's context; 0 where that is not known."""
    speed_measured = Signal(float)
    """Tokens per second of the answer that has just ended."""
    heard = Signal(object)
    """An answer, in whichever chat, at each of its changes and at its end: a `ChatMessage`."""
    message_focused = Signal(str)
    """A message of the open chat that somebody looked for."""
    kept = Signal()
    """An answer that has ended, or chats that were renamed, moved or put away, are on disk as they are now."""
    archive_folded = Signal(bool)
    """Whether only the name of the archive is listed."""
    stop_requested = Signal(str)
    """The id of the chat whose answers are to end; they end a little later."""
    failed = Signal(object)
    saving_failed = Signal(object)
    """The `StoreError` because of which nothing can be saved now; it is tried again."""
    saving_resumed = Signal()
    """What could not be saved is on disk."""

    def __init__(self, store: Store, models: ModelController, prepare: Callable[[Sequence[str]], None]) -> None:
        super().__init__()
        self.messages = MessageList(self)
        self.chats = ChatListModel(section_heading, spoken=row_description, parent=self)
        self.chats.renamed.connect(self.rename)
        self._store = store
        self._models = models
        self._prepare = prepare
        self._write_queue = WriteBehindQueue(store, self.saving_failed.emit, recovered=self.saving_resumed.emit)
        self._tasks = TaskSet(lambda error, _: self.failed.emit(error))
        self._writer = AnswerWriter(models, self._write_queue, self._heard, self.kept.emit, self.failed.emit)
        self._title_generator = TitleGenerator(models, self._retitle)
        self._known: dict[str, Chat] = {}
        self._folders: dict[str, Folder] = {}
        self._archive_folded = True
        self._current: ChatSession | None = None
        self._wanted: str | None = None
        self._next_settings = ChatSettings()
        self._next_folder = ""
        self.day = DayChange(parent=self)
        self.day.changed.connect(self._list_chats)

    @property
    def current(self) -> Chat | None:
        return self._current.chat if self._current else None

    @property
    def folders(self) -> list[Folder]:
        """In the order in which they stand."""
        return sorted(self._folders.values(), key=lambda folder: folder.place)

    @property
    def answering(self) -> bool:
        return self._current is not None and self._current.is_live

    @property
    def settings(self) -> ChatSettings:
        """Those of the open chat, or of the one that begins with the next message."""
        return self._current.chat.settings if self._current else self._next_settings

    @property
    def stopping(self) -> bool:
        """Whether the open chat's answers were stopped and have not ended yet."""
        answers = self._current.answers.values() if self._current is not None else ()
        return any(answer.waiting.stage == "stopping" for answer in answers)

    def waiting(self, message_id: str) -> Waiting:
        """What happens to an answer now, in whichever chat."""
        return self._writer.waiting(message_id)

    def chat(self, chat_id: str) -> Chat | None:
        """One that there is, open or not."""
        return self._known.get(chat_id)

    async def load_chats(self) -> None:
        """Fills the sidebar's list from the store. Raises StoreError."""
        self._folders |= {folder.id: folder for folder in await self._store.folders()}
        self._known |= {chat.id: chat for chat in await self._store.chats()}
        self._list_chats()

    def new_chat(self, folder_id: str = "") -> None:
        """Leaves the open chat; the next message begins a new one, in that folder."""
        self._wanted = None
        self._next_folder = folder_id
        self._next_settings = ChatSettings()
        self._open_session(None)

    def open_chat(self, chat_id: str, message_id: str = "") -> None:
        """Opens the chat, on the branch that holds `message_id` where one is given."""
        if self._current is not None and self._current.chat.id == chat_id:
            self._point_at(message_id)
        elif chat_id in self._known:
            self._wanted = chat_id
            self._mark()
            self._tasks.spawn(self._open(chat_id, message_id), f"open chat {chat_id}")

    def _point_at(self, message_id: str) -> None:
        """Has that message of the open chat brought into sight; one that is gone is left alone."""
        if self._current is None or message_id not in self._current.conversation:
            return
        if all(row.id != message_id for row in self._current.conversation.branch()):
            self._current.conversation.show(message_id)
            self._show_branch()
        self.message_focused.emit(message_id)

    def rename(self, chat_id: str, title: str) -> None:
        self._change(chat_id, title=title, titled_by="person")

    def change_settings(self, settings: ChatSettings) -> None:
        """How the open chat is answered from now on, or the one that begins with the next message."""
        if self._current is not None:
            self._change(self._current.chat.id, settings=settings)
        else:
            self._next_settings = settings
            self.opened.emit(None)

    def summarise(self, chat_id: str, summary: str, last_row_id: str) -> ChatSettings | None:
        """The summary stands for that chat's turns up to this row from now on. Its settings as they are then; None
        where the chat is gone."""
        chat = self._known.get(chat_id)
        if chat is None:
            return None
        settings = replace(chat.settings, summary=summary, summarised_to=last_row_id)
        self._change(chat_id, settings=settings)
        return settings

    async def aclose(self) -> None:
        """Stops every answer and waits until all that was asked for is kept. Idempotent."""
        await self._title_generator.aclose()
        await self._writer.aclose()
        await self._tasks.join()  # a title given, or a chat brought back, in the last moment
        await self._tasks.aclose()
        await self._write_queue.aclose()

    def _begin(self, title: str) -> ChatSession:
        now = time.time()
        settings, self._next_settings = self._next_settings, ChatSettings()
        folder_id, self._next_folder = self._next_folder, ""
        chat = Chat(new_id(), title, now, now, settings=settings, folder_id=folder_id)
        self._current = ChatSession(chat, Conversation())
        self._wanted = None
        return self._current

    def _message(self, session: ChatSession, role: Role, text: str, parent_id: str | None, state: State) -> ChatMessage:
        return ChatMessage(new_id(), session.chat.id, parent_id, role, text, state, time.time())

    def _heard(self, session: ChatSession, message: ChatMessage) -> None:
        """An answer says more, or has its last word, though that may not be on disk yet."""
        self.heard.emit(message)
        if session is self._current:
            self.messages.replace(message)
            for shown_id, group in session.conversation.side_by_side().items():
                if message.group_id and message.group_id == group[0].group_id:
                    self.messages.show_alternatives(shown_id, group)
        if message.state == "streaming":
            if session is self._current and message.n_output:
                self.usage_changed.emit(message.n_prompt + message.n_output)
            return
        self._mark()
        if session is self._current:
            self._announce()
        if message.state != "failed" and message.n_output > 1 and message.decode_s > 0:
            self.speed_measured.emit(message.n_output / message.decode_s)
        self._title_generator.after(session, message)

    async def _open(self, chat_id: str, message_id: str) -> None:
        session = await self._session_of(chat_id)
        if session is None:
            if self._wanted == chat_id:
                self._wanted = None
                self._mark()
            return
        texts = [message.text for message in session.conversation.branch()]
        await asyncio.get_running_loop().run_in_executor(None, self._prepare, texts)
        if self._wanted != chat_id:
            return
        session = self._writer.live.get(chat_id, session)
        if (chat := self._known.get(chat_id)) is not None and chat.leaf_id != session.chat.leaf_id:
            await self._open(chat_id, message_id)  # a message was sent there while it was read
        else:
            self._open_session(session)
            self._point_at(message_id)

    async def _session_of(self, chat_id: str) -> ChatSession | None:
        """The chat in memory, read from the store if need be. None where it is gone or cannot be read, which is then
        reported."""
        if (live := self._writer.live.get(chat_id)) is not None:
            return live
        try:
            messages = await self._store.messages(chat_id)
        except StoreError as error:
            self.failed.emit(error)
            return None
        chat = self._known.get(chat_id)
        if chat is None:
            return None
        if self._current is not None and self._current.chat.id == chat_id:
            return self._current  # opened meanwhile
        # Where the disk was full at the start, the store could not mark what was cut.
        cut = [replace(each, state="cut") if each.state == "streaming" else each for each in messages]
        return self._writer.live.get(chat_id) or ChatSession(chat, Conversation(cut, chat.leaf_id))

    def _open_session(self, session: ChatSession | None) -> None:
        self._current = session
        self._show_branch()
        self._mark()
        self._announce()

    def _show_branch(self) -> None:
        """The branch of the open chat as it is now."""
        if self._current is None:
            self.messages.show(())
        else:
            conversation = self._current.conversation
            self.messages.show(conversation.branch(), conversation.versions(), conversation.side_by_side())

    def _announce(self) -> None:
        self.opened.emit(self.current)
        self.answering_changed.emit(self.answering)
        last = next((row for row in reversed(self.messages) if row.n_output), None)
        self.usage_changed.emit(last.n_prompt + last.n_output if last else 0)

    def _retitle(self, chat_id: str, title: str) -> None:
        """The model's title, unless the person was faster."""
        if (chat := self._known.get(chat_id)) is not None and chat.titled_by == "start":
            self._change(chat_id, title=title, titled_by="model")

    def _change(self, chat_id: str, **changes: object) -> None:
        if (chat := self._known.get(chat_id)) is not None:
            self._take_up([replace(chat, **changes)])  # type: ignore[arg-type]

    def _take_up(self, chats: Sequence[Chat]) -> None:
        """Known chats have changed: shows and keeps them."""
        for chat in chats:
            self._known[chat.id] = chat
            for session in (self._writer.live.get(chat.id), self._current):
                if session is not None and session.chat.id == chat.id:
                    session.chat = chat
        self._list_chats()
        if self.current in chats:
            self.opened.emit(self.current)
        self._tasks.spawn(self._keep_changed(chats), "save changed chats")

    async def _keep_changed(self, chats: Sequence[Chat]) -> None:
        await self._write_queue.save_all(chats)
        self.kept.emit()

    def _keep_chat(self, session: ChatSession, **changes: object) -> None:
        """Takes up where the shown branch ends now; the next save writes it."""
        session.chat = replace(session.chat, leaf_id=session.conversation.leaf_id, **changes)  # type: ignore[arg-type]
        self._known[session.chat.id] = session.chat
        self._list_chats()

    def _list_chats(self) -> None:
        self.chats.show(self._known.values(), self.folders, self._archive_folded)
        self._mark()

    def _mark(self) -> None:
        """The open chat, or the one that is being read from the store."""
        self.chats.mark(self._wanted or (self._current.chat.id if self._current else None), self._writer.live)
