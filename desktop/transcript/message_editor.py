"""The editor that stands in a message's place while it is edited."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.platform.theme import text_font
from desktop.store.records import ChatMessage
from desktop.widgets.long_text_edit import LongTextEdit
from desktop.widgets.text_composition import CompositionGuard

LEAST_LINES, MOST_LINES = 2, 14


class _Text(LongTextEdit):
    saved = Signal()
    cancelled = Signal()

    def __init__(self, enter_saves: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._enter_saves = enter_saves
        self.setFont(text_font(15))
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(2)
        CompositionGuard(self)

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
    """Enter saves a question, Ctrl+Enter an answer, Escape leaves all as it was. `draft` is what was typed here before,
    "" for nothing. GUI thread only."""

    saved = Signal(str, str)
    """The message's id, and how it is to read now."""
    changed = Signal(str, str)
    """The message's id, and what is typed; "" where that is how the message reads."""
    closed = Signal()
    resized = Signal()
    """It needs another height for what is typed."""

    def __init__(self, message: ChatMessage, width: int, parent: QWidget, draft: str = "") -> None:
        super().__init__(parent)
        self._message = message
        self.setObjectName("messageEditor")
        question = message.role == "user"
        self.edit = _Text(question, self)
        self.edit.setAccessibleName(self.tr("Edit the message"))
        self.edit.setPlainText(draft or message.text)
        self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)
        self.edit.textChanged.connect(self._tell_changed)
        self.edit.saved.connect(self._save)
        self.edit.cancelled.connect(self.closed)
        save = QPushButton(self.tr("Send") if question else self.tr("Save"), self)
        save.setObjectName("primary")
        save.clicked.connect(self._save)
        cancel = QPushButton(self.tr("Cancel"), self)
        cancel.setObjectName("plain")
        cancel.clicked.connect(self.closed)
        asked = self.tr("A new version; the old one stays.")
        answered = self.tr("A new version; the old one stays. Ctrl Enter saves.")
        hint = QLabel(asked if question else answered, self)
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
        lines = sum(1 + len(each) // letters for each in self.edit.toPlainText().split("\n"))
        self.edit.setFixedHeight(min(max(LEAST_LINES, lines), MOST_LINES) * line + 12)
        self.setFixedWidth(width)
        self.adjustSize()

    def _tell_changed(self) -> None:
        text = self.edit.toPlainText()
        self.changed.emit(self._message.id, "" if text == self._message.text else text)
        before = self.height()
        self.set_width(self.width())
        if self.height() != before:
            self.resized.emit()

    def _save(self) -> None:
        text = self.edit.toPlainText().strip()
        if text and text != self._message.text:
            self.saved.emit(self._message.id, text)
        self.closed.emit()


class EditSession:
    """Where the one editor stands, if any. `saved(id, text)` gets what is to be, `changed(id, text)` what is typed, ""
    where there is nothing to keep, `resized(id)` is called when its height changes, `ended(id, had_focus)` when it is
    closed."""

    def __init__(
        self,
        parent: QWidget,
        saved: Callable[[str, str], None],
        changed: Callable[[str, str], None],
        resized: Callable[[str], None],
        ended: Callable[[str, bool], None],
    ) -> None:
        self._parent = parent
        self._saved, self._changed = saved, changed
        self._resized, self._ended = resized, ended
        self.editor: MessageEditor | None = None

    @property
    def message_id(self) -> str:
        return self.editor.message_id if self.editor is not None else ""

    @property
    def height(self) -> int:
        """What the row of the message that is edited needs."""
        return self.editor.height() + 8 if self.editor is not None else 0

    def open(self, message: ChatMessage, width: int, draft: str = "", *, focus: bool = True) -> None:
        self.close()
        self.editor = MessageEditor(message, width, self._parent, draft)
        self.editor.saved.connect(self._saved)
        self.editor.changed.connect(self._changed)
        self.editor.resized.connect(self._tell_resized)
        self.editor.closed.connect(self._finish)
        self.editor.show()
        if focus:
            self.editor.edit.setFocus()

    def close(self) -> None:
        """Leaves the message as it is; what was typed stays a draft. Idempotent."""
        editor, self.editor = self.editor, None
        if editor is not None:
            had_focus = editor.isAncestorOf(QApplication.focusWidget() or self._parent)
            editor.hide()
            editor.deleteLater()
            self._ended(editor.message_id, had_focus)

    def _tell_resized(self) -> None:
        self._resized(self.message_id)

    def _finish(self) -> None:
        """Saved or cancelled: there is nothing to keep."""
        if self.editor is not None:
            self._changed(self.editor.message_id, "")
            self.close()

    def move(self, corner: QPoint, width: int) -> None:
        if self.editor is not None:
            self.editor.set_width(width)
            self.editor.move(corner - QPoint(0, 6))
            self.editor.raise_()
