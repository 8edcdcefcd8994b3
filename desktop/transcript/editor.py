"""The editor that stands in a message's place while it is edited."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from desktop.store.records import ChatMessage
from desktop.theme import text_font

LEAST_LINES, MOST_LINES = 2, 14


class _Text(QPlainTextEdit):
    saved = Signal()
    cancelled = Signal()

    def __init__(self, enter_saves: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._enter_saves = enter_saves
        self.setFont(text_font(15))
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(2)

    def event(self, event: QEvent) -> bool:
        match event:
            case QKeyEvent() if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
                event.accept()  # here Escape is the editor's, not the window's key to stop an answer
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = event.modifiers()
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        control = bool(keys & Qt.KeyboardModifier.ControlModifier)
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif enter and (control or (self._enter_saves and not keys & Qt.KeyboardModifier.ShiftModifier)):
            self.saved.emit()
        else:
            super().keyPressEvent(event)


class MessageEditor(QFrame):
    """Enter saves a question, Ctrl+Enter an answer, Escape leaves all as it was. GUI thread only."""

    saved = Signal(str, str)
    """The message's id, and how it is to read now."""
    closed = Signal()

    def __init__(self, message: ChatMessage, width: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._message = message
        self.setObjectName("messageEditor")
        question = message.role == "user"
        self.edit = _Text(question, self)
        self.edit.setAccessibleName(self.tr("Edit the message"))
        self.edit.setPlainText(message.text)
        self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)
        self.edit.saved.connect(self._save)
        self.edit.cancelled.connect(self.closed)
        save = QPushButton(self.tr("Send") if question else self.tr("Save"), self)
        save.setObjectName("primary")
        save.clicked.connect(self._save)
        cancel = QPushButton(self.tr("Cancel"), self)
        cancel.setObjectName("plain")
        cancel.clicked.connect(self.closed)
        words = self.tr("A new version; the old one stays.")
        hint = QLabel(words if question else f"{words} {self.tr('Ctrl Enter saves.')}", self)
        hint.setObjectName("composerNote")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(hint, 1)
        row.addWidget(cancel)
        row.addWidget(save)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 10, 10)
        column.setSpacing(8)
        column.addWidget(self.edit)
        column.addLayout(row)
        self.set_width(width)

    @property
    def message_id(self) -> str:
        return self._message.id

    def set_width(self, width: int) -> None:
        line = self.edit.fontMetrics().lineSpacing()
        letters = max(20, width // 8)
        lines = sum(1 + len(each) // letters for each in self._message.text.split("\n"))
        self.edit.setFixedHeight(min(max(LEAST_LINES, lines), MOST_LINES) * line + 12)
        self.setFixedWidth(width)
        self.adjustSize()

    def _save(self) -> None:
        text = self.edit.toPlainText().strip()
        if text and text != self._message.text:
            self.saved.emit(self._message.id, text)
        self.closed.emit()
