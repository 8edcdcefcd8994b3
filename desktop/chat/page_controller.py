"""Connects the chat page to the open chat: title, transcript, stop button, speed, and errors while saving."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QDesktopServices

from desktop.chat.composer.composer_controller import ComposerController
from desktop.chat.controller import ChatController
from desktop.chat.page import ChatPage
from desktop.framework.app_window import AppWindow
from desktop.models.model_controller import ModelController
from desktop.store.records import Chat
from desktop.transcript.answer_status import WaitStatus
from desktop.transcript.view import TranscriptView
from engine.chat_engine import Capabilities

NOT_SAVED = "not saved"
"""Topic of toasts which tell that chats are not saved, or that chats were recovered from a damaged database."""


class ChatPageController(QObject):
    """Controller of the chat page. Exists as long as its window. GUI thread only."""

    def __init__(
        self,
        window: AppWindow,
        page: ChatPage,
        transcript: TranscriptView,
        chats: ChatController,
        models: ModelController,
        composer: ComposerController,
    ) -> None:
        super().__init__(window)
        self._window, self._page, self._transcript, self._chats = window, page, transcript, chats
        self.composer = composer
        self._shown_id = ""
        transcript.set_list(chats.sessions.messages)
        transcript.wait_status_of = lambda message_id: WaitStatus.of(chats.sessions.waiting(message_id))
        transcript.edit_draft = composer.drafts.edit_of
        transcript.edit_draft_keys = lambda: composer.drafts.cache.keys
        transcript.edit_changed.connect(composer.drafts.put_edit)
        transcript.link_activated.connect(QDesktopServices.openUrl)
        page.composer.stop_requested.connect(chats.stop)
        page.greeting.starter_chosen.connect(page.composer.begin_with)
        chats.sessions.opened.connect(self._show_chat)
        chats.sessions.answering_changed.connect(self._show_answering)
        chats.sessions.stop_requested.connect(self._show_stopping)
        chats.sessions.speed_measured.connect(page.header.show_speed)
        chats.sessions.failed.connect(window.show_error)
        chats.sessions.saving_failed.connect(self.show_not_saved)
        chats.sessions.saving_resumed.connect(lambda: window.toast.clear(NOT_SAVED))
        models.chat_status_changed.connect(lambda: transcript.refresh_status())
        models.chat_status_changed.connect(lambda: self._show_capabilities(models.capabilities))

    def show_not_saved(self, error: BaseException) -> None:
        """Show a toast that explains why chats are not saved, or that chats were recovered from a damaged database. It
        stays until the user closes it or saving succeeds again."""
        self._window.show_error(error, topic=NOT_SAVED, stays=True)

    def _show_chat(self, chat: Chat | None) -> None:
        chat_id = chat.id if chat is not None else ""
        if chat_id != self._shown_id:
            self._shown_id = chat_id
            self._window.toast.move_on()
        self._page.show_greeting(chat is None)
        self._page.header.show_chat(chat)
        self._window.setWindowTitle(f"{chat.title} – Inglenook" if chat else "Inglenook")

    def _show_capabilities(self, capabilities: Capabilities) -> None:
        """Hide what the engine does not support."""
        self._transcript.enable_words(capabilities.word_alternatives)
        self.composer.settings.sheet.show_thinking(capabilities.reasoning)

    def _show_answering(self, answering: bool) -> None:
        self._page.composer.set_answering(answering, stopping=self._chats.sessions.stopping)

    def _show_stopping(self) -> None:
        """Show that the answers are stopping. Done at once, because they may take a second to end."""
        self._show_answering(self._chats.sessions.answering)
        self._transcript.refresh_status()
