"""Helpers for tests of the transcript: messages, and access to the buttons and words that the transcript shows."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QPushButton

from desktop.store.records import ChatMessage
from desktop.transcript.text_positions import words_in
from desktop.transcript.view import TranscriptView

LONG = "\n\n".join(f"Paragraph {number} of the answer, `with code` and a few more words." for number in range(12))


def message(number: int, text: str = LONG, state: str = "complete") -> ChatMessage:
    role = "assistant" if number % 2 else "user"
    return ChatMessage(f"m{number}", "c", None, role, text, state, 0.0)  # type: ignore[arg-type]


def button(view: TranscriptView, message_id: str, name: str) -> QPushButton:
    return view.cache.controls[message_id]._named[name]


def centre_of(view: TranscriptView, row: int, word: str, nth: int = 0) -> QPoint:
    item = view.column.item(row)
    found = [each for each in words_in(item.texts()) if each.text == word][nth]
    return view.column.corner(row) + item.word_box(found).center()


def wheel(view: TranscriptView, at: QPoint, pixels: QPoint, keys: Qt.KeyboardModifier) -> None:
    none = Qt.MouseButton.NoButton
    where = QPointF(view.viewport().mapToGlobal(at))
    event = QWheelEvent(QPointF(at), where, pixels, pixels, none, keys, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(view.viewport(), event)
