"""Notifies the user when a long answer has ended while the window was not visible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtWidgets import QApplication

from desktop.chat.controller import ChatController
from desktop.shell.main_window import MainWindow
from desktop.store.records import ChatMessage

LONG_S = 10.0

translate = QCoreApplication.translate


class MessageSink(Protocol):
    def show_message(self, title: str, text: str, clicked: Callable[[], None]) -> None: ...


class AnswerNotifier(QObject):
    """Shows a notification with the title of the chat, but no text of the answer. A child object of the window. GUI
    thread only."""

    def __init__(
        self,
        window: MainWindow,
        chats: ChatController,
        messages: MessageSink,
        is_enabled: Callable[[], bool],
        is_seen_elsewhere: Callable[[str], bool],
        now_s: Callable[[], float],
    ) -> None:
        """`is_seen_elsewhere(message_id)` returns whether another window shows that answer."""
        super().__init__(window)
        self._window, self._chats, self._messages = window, chats, messages
        self._is_enabled, self._is_seen_elsewhere, self._now_s = is_enabled, is_seen_elsewhere, now_s
        chats.sessions.answer_changed.connect(self._answer_changed)

    def _answer_changed(self, message: ChatMessage) -> None:
        if message.state in ("streaming", "stopped") or self._now_s() - message.created_s < LONG_S:
            return
        is_visible = self._window.isActiveWindow() and not self._window.isMinimized()
        chat = self._chats.sessions.chat(message.chat_id)
        if is_visible or chat is None or not self._is_enabled() or self._is_seen_elsewhere(message.id):
            return
        text = (
            translate("notifications", "An answer is ready")
            if message.state != "failed"
            else translate("notifications", "An answer could not be finished")
        )
        self._messages.show_message(text, chat.title, lambda: self._open(message.chat_id))
        QApplication.alert(self._window)

    def _open(self, chat_id: str) -> None:
        self._chats.sessions.open_chat(chat_id)
        self._window.show_page("chat")
        self._window.bring_to_front()
