"""Says that a long answer has come to its end, where nobody saw it."""

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


class Speaker(Protocol):
    def say(self, title: str, words: str, clicked: Callable[[], None]) -> None: ...


class AnswerNotifier(QObject):
    """Lives as long as its window. Nothing of an answer is said but the title of its chat. GUI thread only."""

    def __init__(
        self,
        window: MainWindow,
        chats: ChatController,
        speaker: Speaker,
        wanted: Callable[[], bool],
        is_seen_elsewhere: Callable[[str], bool],
        now_s: Callable[[], float],
    ) -> None:
        """`wanted`: whether the person wants it; `is_seen_elsewhere(message_id)`: whether another window shows it."""
        super().__init__(window)
        self._window, self._chats, self._speaker = window, chats, speaker
        self._wanted, self._is_seen_elsewhere, self._now_s = wanted, is_seen_elsewhere, now_s
        chats.sessions.answer_changed.connect(self._heard)

    def _heard(self, message: ChatMessage) -> None:
        if message.state in ("streaming", "stopped") or self._now_s() - message.created_s < LONG_S:
            return
        in_sight = self._window.isActiveWindow() and not self._window.isMinimized()
        chat = self._chats.sessions.chat(message.chat_id)
        if in_sight or chat is None or not self._wanted() or self._is_seen_elsewhere(message.id):
            return
        words = (
            translate("notifications", "An answer is ready")
            if message.state != "failed"
            else translate("notifications", "An answer could not be finished")
        )
        self._speaker.say(words, chat.title, lambda: self._open(message.chat_id))
        QApplication.alert(self._window)

    def _open(self, chat_id: str) -> None:
        self._chats.sessions.open_chat(chat_id)
        self._window.show_page("chat")
        self._window.bring_to_front()
