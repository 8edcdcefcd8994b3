"""Connects the quick-ask window to the chats. The window is made when it is first opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject

from desktop.chat.controller import ChatController
from desktop.framework.actions import Action
from desktop.framework.app_window import AppWindow
from desktop.store.records import ChatMessage
from desktop.transcript.answer_status import WaitStatus

if TYPE_CHECKING:
    from desktop.chat.quick_ask.window import QuickAskWindow

SHORTCUT = "Ctrl+Shift+Space"


class QuickAskController(QObject):
    """Controller of the quick-ask window. Exists as long as the main window. Each question begins a new chat, which is
    not opened. GUI thread only."""

    def __init__(self, window: AppWindow, chats: ChatController) -> None:
        super().__init__(window)
        self._window, self._chats = window, chats
        self._answer: ChatMessage | None = None
        self.quick_window: QuickAskWindow | None = None
        chats.sessions.answer_changed.connect(self._show_answer)
        self.action = Action("quick_ask", QCoreApplication.translate("actions", "Quick ask"), self.open, SHORTCUT)

    def open(self) -> None:
        """Show the quick-ask window in front of all other windows."""
        if self.quick_window is None:
            # This module is imported when needed, because the window is rarely used.
            from desktop.chat.quick_ask.window import QuickAskWindow

            self.quick_window = QuickAskWindow(self._window.theme)
            self.quick_window.submitted.connect(self._ask)
            self.quick_window.stop_requested.connect(self._stop)
            self.quick_window.open_requested.connect(self._open_as_chat)
            self.quick_window.answer.wait_status_of = lambda message_id: WaitStatus.of(
                self._chats.sessions.waiting(message_id)
            )
        self.quick_window.open()

    def shows(self, message_id: str) -> bool:
        """Whether this answer is visible in the quick-ask window."""
        visible = self.quick_window is not None and self.quick_window.isVisible()
        return visible and self._answer is not None and self._answer.id == message_id

    def close(self) -> None:
        """Close and delete the quick-ask window. Idempotent."""
        if self.quick_window is not None:
            self.quick_window.hide()
            self.quick_window.deleteLater()
            self.quick_window = None

    def _ask(self, question: str) -> None:
        self._answer = self._chats.send_in_new_chat(question)
        if self.quick_window is not None:
            self.quick_window.show_answer(self._answer)

    def _show_answer(self, message: ChatMessage) -> None:
        if self._answer is not None and message.id == self._answer.id:
            self._answer = message
            if self.quick_window is not None:
                self.quick_window.show_answer(message)

    def _stop(self) -> None:
        if self._answer is not None:
            self._chats.sessions.stop_chat(self._answer.chat_id)

    def _open_as_chat(self) -> None:
        if self.quick_window is not None and self._answer is not None:
            self.quick_window.hide()
            self._chats.sessions.open_chat(self._answer.chat_id)
            self._window.show_page("chat")
            self._window.bring_to_front()
