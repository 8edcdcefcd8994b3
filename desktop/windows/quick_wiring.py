"""Connects the small window for quick questions. It is made when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject

from desktop.actions import Action
from desktop.chat.controller import ChatController
from desktop.store.records import ChatMessage
from desktop.windows.main_window import MainWindow
from desktop.windows.wiring import sign_of

if TYPE_CHECKING:
    from desktop.widgets.quick_ask import QuickAsk

KEYS = "Ctrl+Shift+Space"


class QuickAskWiring(QObject):
    """Lives as long as its window. What is asked begins a chat of its own, beside the one that is open there. GUI
    thread only."""

    def __init__(self, window: MainWindow, chats: ChatController) -> None:
        super().__init__(window)
        self._window, self._chats = window, chats
        self._answer: ChatMessage | None = None
        self.small: QuickAsk | None = None
        chats.heard.connect(self._heard)
        self.action = Action("quick_ask", QCoreApplication.translate("actions", "Quick ask"), self.open, KEYS)

    def open(self) -> None:
        """Shows the window, in front of everything."""
        if self.small is None:
            from desktop.widgets.quick_ask import QuickAsk  # seldom needed

            self.small = QuickAsk(self._window.theme)
            self.small.asked.connect(self._ask)
            self.small.stop_asked.connect(self._stop)
            self.small.open_asked.connect(self._open_as_chat)
            self.small.answer.sign_of = lambda message_id: sign_of(self._chats.waiting(message_id))
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
        self._answer = self._chats.ask_aside(question)
        if self.small is not None:
            self.small.show_answer(self._answer)

    def _heard(self, message: ChatMessage) -> None:
        if self._answer is not None and message.id == self._answer.id:
            self._answer = message
            if self.small is not None:
                self.small.show_answer(message)

    def _stop(self) -> None:
        if self._answer is not None:
            self._chats.stop_in(self._answer.chat_id)

    def _open_as_chat(self) -> None:
        if self.small is not None and self._answer is not None:
            self.small.hide()
            self._chats.open_chat(self._answer.chat_id)
            self._window.show_chat_page()
            self._window.come_forward()
