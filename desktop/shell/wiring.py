"""What happens when: the one place where the window's signals meet the controllers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from desktop.chat.composer.composer_controller import ComposerController
from desktop.chat.controller import ChatController
from desktop.chat.header import Light
from desktop.chat.strings import wait_status
from desktop.chat.waiting import Waiting
from desktop.endpoint.page import EndpointPage
from desktop.error_messages import error_message
from desktop.models.model_controller import ModelController
from desktop.models.strings import model_facts, model_state
from desktop.platform.task_set import TaskSet
from desktop.platform.theme import Theme
from desktop.shell.main_window import MainWindow
from desktop.sidebar.chat_list_view import ChatListView
from desktop.sidebar.chat_list_wiring import ChatListWiring, chat_list_model
from desktop.store.records import Chat
from desktop.store.store import Store
from desktop.transcript.answer_status import WaitStatus
from desktop.transcript.message_wiring import MessageWiring
from desktop.transcript.view import TranscriptView
from engine.errors import LoadCancelled
from engine.events import Status

translate = QCoreApplication.translate

LIGHTS: dict[str, Light] = {"ready": "ready", "loading": "loading"}


class Pages(NamedTuple):
    """What the window gets after its first paint."""

    transcript: TranscriptView
    endpoint: EndpointPage
    chats: ChatListView


async def make_pages(theme: Theme) -> Pages:
    """Makes each in a turn of its own, since all at once would hold up the window for three frames."""
    transcript = TranscriptView(theme)
    await asyncio.sleep(0)
    endpoint = EndpointPage(theme)
    await asyncio.sleep(0)
    return Pages(transcript, endpoint, ChatListView(theme))


def wait_status_of(waiting: Waiting) -> WaitStatus:
    """What the page shows of what an answer waits for."""
    return WaitStatus(wait_status(waiting), waiting.share)


class Wiring:
    """Connects one window to its controllers. `remember(**changes)` keeps settings. GUI thread only."""

    def __init__(
        self,
        window: MainWindow,
        pages: Pages,
        chats: ChatController,
        models: ModelController,
        tasks: TaskSet,
        remember: Callable[..., None],
        store: Store,
    ) -> None:
        self._window, self._chats, self._models = window, chats, models
        self._tasks = tasks
        self._remember = remember
        self._shown_id = ""
        self._transcript, _, self._chats_view = pages
        self._chats_view.setModel(chat_list_model(chats))
        window.add_pages(self._chats_view, self._transcript, pages.endpoint)
        self._transcript.set_list(chats.sessions.messages)
        self._transcript.wait_status_of = lambda message_id: wait_status_of(chats.sessions.waiting(message_id))
        self.composing = ComposerController(window, chats, models, store, tasks, self.tell)
        self._transcript.edit_draft = self.composing.draft_saver.edit_of
        self._transcript.edit_changed.connect(self.composing.draft_saver.put_edit)
        self._connect_chats()
        self._connect_model()

    def tell(self, error: BaseException) -> None:
        """Says on the window what went wrong."""
        self._window.toast.show_message(error_message(error), alert=True)

    def tell_not_saved(self, error: BaseException) -> None:
        """That chats are not kept, or what became of their file. It stays until it is dismissed or no longer so."""
        self._window.toast.show_message(error_message(error), alert=True, topic="not saved", stays=True)

    def _connect_chats(self) -> None:
        window, chats = self._window, self._chats
        window.composer.stop_requested.connect(chats.stop)
        window.greeting.begun.connect(window.composer.begin_with)
        self._transcript.link_activated.connect(QDesktopServices.openUrl)
        chats.sessions.opened.connect(self._show_chat)
        chats.sessions.answering_changed.connect(self._show_answering)
        chats.sessions.stop_requested.connect(self._show_stopping)
        chats.sessions.speed_measured.connect(window.header.show_speed)
        chats.sessions.failed.connect(self.tell)
        chats.sessions.saving_failed.connect(self.tell_not_saved)
        chats.sessions.saving_resumed.connect(lambda: window.toast.clear("not saved"))
        ChatListWiring(window, self._chats_view, chats)
        self._messages = MessageWiring(window, self._transcript, chats, self._tasks)

    def _connect_model(self) -> None:
        self._window.header.model_file_requested.connect(self._choose_model)
        self._window.header.load_cancel_requested.connect(self._models.cancel_load)
        self._window.greeting.model_file_requested.connect(self._choose_model)
        self._models.status_changed.connect(self._show_status)

    # Chats

    def _show_chat(self, chat: Chat | None) -> None:
        chat_id = chat.id if chat is not None else ""
        if chat_id != self._shown_id:
            self._shown_id = chat_id
            self._window.toast.move_on()
        self._window.show_greeting(chat is None)
        self._window.header.show_chat(chat)
        self._window.setWindowTitle(f"{chat.title} – Inglenook" if chat else "Inglenook")

    def _show_answering(self, answering: bool) -> None:
        self._window.composer.set_answering(answering, stopping=self._chats.sessions.stopping)

    def _show_stopping(self) -> None:
        """At once, though what was stopped may end a second later."""
        self._show_answering(self._chats.sessions.answering)
        self._transcript.refresh_status()

    # The model

    def _show_status(self, status: Status) -> None:
        light = LIGHTS.get(status.state, "none")
        words, facts = model_state(status), model_facts(status.model)
        self._window.header.show_model(words, light, status.progress, facts)
        self._window.greeting.show_model(light)
        self._transcript.refresh_status()
        if status.state == "dead" and status.error is not None:
            again = translate("window", "Load it again")
            words = error_message(status.error)
            self._window.toast.show_message(words, alert=True, action=again, act=self._reload, topic="model")
        elif isinstance(status.error, LoadCancelled):  # the person's own wish
            self._window.toast.show_message(error_message(status.error), for_ms=5_000, topic="model")
        elif status.error is not None:
            choose = translate("window", "Choose another…")
            words = error_message(status.error)
            self._window.toast.show_message(words, alert=True, action=choose, act=self._choose_model, topic="model")
        elif status.state in LIGHTS:
            self._window.toast.clear("model")

    def _choose_model(self) -> None:
        dialog = QFileDialog(self._window, translate("window", "Open a model file"))
        dialog.setNameFilters([translate("window", "Models (*.gguf)"), translate("window", "All files (*)")])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.open_model)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def open_model(self, path: str) -> None:
        """Loads the file, and keeps that it was chosen."""
        self._tasks.spawn(self._load(Path(path)), "load a model")

    def _reload(self) -> None:
        self._tasks.spawn(self._models.reload(), "load the model again")

    async def _load(self, path: Path) -> None:
        self._window.header.show_speed(0)
        if await self._models.load(path):
            self._remember(model_path=str(path))
