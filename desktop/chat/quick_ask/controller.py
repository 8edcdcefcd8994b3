"""Connects the small window for quick questions. It is made when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject

from desktop.chat.controller import ChatController
from desktop.framework.actions import Action
from desktop.shell.main_window import MainWindow
from desktop.shell.wiring import wait_status_of
from desktop.store.records import ChatMessage

if TYPE_CHECKING:
    from desktop.chat.quick_ask.window import QuickAskWindow

KEYS = "Ctrl+Shift+Space"


class QuickAskController(QObject):
    """Lives as long as its window. What is asked begins a chat of its own, beside the one that is open there. GUI
    thread only."""

    def __init__(self, window: MainWindow, chats: ChatController) -> None:
        super().__init__(window)
        self._window, self._chats = window, chats
        self._answer: ChatMessage | None = None
        self.small: QuickAskWindow | None = None
        chats.sessions.answer_changed.connect(self._heard)
        self.action = Action("quick_ask", QCoreApplication.translate("actions", "Quick ask"), self.open, KEYS)

    def open(self) -> None:
        """Shows the window, in front of everything."""
        if self.small is None:
            from desktop.chat.quick_ask.window import QuickAskWindow  # seldom needed

            self.small = QuickAskWindow(self._window.theme)
            self.small.asked.connect(self._ask)
            self.small.stop_requested.connect(self._stop)
            self.small.open_requested.connect(self._open_as_chat)
            self.small.answer.wait_status_of = lambda message_id: wait_status_of(
                self._chats.sessions.waiting(message_id)
            )
        self.small.open()

    def shows(self, message_id: str) -> bool:
        """Whether this answer is in sight there."""
        seen = self.small is not None and self.small.isVisible()
        return seen and self._answer is not None and self._answer.id == message_id

    def close(self) -> None:
        """Idempotent."""
        if self.small is not None:
            self.small.hide()
            self.small.deleteLater()
            self.small = None

    def _ask(self, question: str) -> None:
        self._answer = self._chats.send_in_new_chat(question)
        if self.small is not None:
            self.small.show_answer(self._answer)

    def _heard(self, message: ChatMessage) -> None:
        if self._answer is not None and message.id == self._answer.id:
            self._answer = message
            if self.small is not None:
                self.small.show_answer(message)

    def _stop(self) -> None:
        if self._answer is not None:
            self._chats.sessions.stop_chat(self._answer.chat_id)

    def _open_as_chat(self) -> None:
        if self.small is not None and self._answer is not None:
            self.small.hide()
            self._chats.sessions.open_chat(self._answer.chat_id)
            self._window.show_chat_page()
            self._window.bring_to_front()
