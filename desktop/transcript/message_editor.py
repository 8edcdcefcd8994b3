"""Editing a message in its place in the transcript: a text field with its buttons, and its position."""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.platform.theme import text_font
from desktop.store.records import ChatMessage
from desktop.transcript.column_layout import BOTTOM, TOP, Anchor, ColumnLayout
from desktop.widgets.long_text_edit import LongTextEdit
from desktop.widgets.text_composition import CompositionGuard

MIN_LINES, MAX_LINES = 2, 14
SPACE_BELOW, RAISED = 8, 6
"""In pixels: the space below the editor, and how far the editor extends above the top of the message."""


class _EditorField(LongTextEdit):
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
                event.accept()  # otherwise the window would handle Escape and stop the answer
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
    """The editor of one message. Enter saves a user message, Ctrl+Enter an answer, and Escape cancels. GUI thread
    only."""

    saved = Signal(str, str)
    """The text was saved. Carries the message id and the new text."""
    changed = Signal(str, str)
    """The text was changed. Carries the message id and the text, or "" if the text equals that of the message."""
    closed = Signal()
    resized = Signal()
    """The height of the editor has changed with its text."""

    def __init__(self, message: ChatMessage, width: int, parent: QWidget, draft: str = "") -> None:
        """`draft` is unsaved text from an earlier edit. If it is empty, the editor starts with the text of the
        message."""
        super().__init__(parent)
        self._message = message
        self.setObjectName("messageEditor")
        is_user = message.role == "user"
        self.edit = _EditorField(is_user, self)
        self.edit.setAccessibleName(self.tr("Edit the message"))
        self.edit.setPlainText(draft or message.text)
        self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)
        self.edit.textChanged.connect(self._emit_changed)
        self.edit.saved.connect(self._save)
        self.edit.cancelled.connect(self.closed)
        save = QPushButton(self.tr("Send") if is_user else self.tr("Save"), self)
        save.setObjectName("primary")
        save.clicked.connect(self._save)
        cancel = QPushButton(self.tr("Cancel"), self)
        cancel.setObjectName("plain")
        cancel.clicked.connect(self.closed)
        user_hint = self.tr("A new version; the old one stays.")
        answer_hint = self.tr("A new version; the old one stays. Ctrl Enter saves.")
        hint = QLabel(user_hint if is_user else answer_hint, self)
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
        line_height = self.edit.fontMetrics().lineSpacing()
        characters_per_line = max(20, width // 8)
        n_lines = sum(1 + len(line) // characters_per_line for line in self.edit.toPlainText().split("\n"))
        self.edit.setFixedHeight(min(max(MIN_LINES, n_lines), MAX_LINES) * line_height + 12)
        self.setFixedWidth(width)
        self.adjustSize()

    def _emit_changed(self) -> None:
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


class MessageEditing(QObject):
    """Opens, places and closes the editor of a transcript. Only one message is edited at a time. GUI thread only."""

    saved = Signal(str, str)
    """The text was saved. Carries the message id and the new text."""
    changed = Signal(str, str)
    """The draft of a message has changed. Carries the message id and the unsaved text, or "" if there is none."""

    def __init__(
        self,
        area: QAbstractScrollArea,
        column: ColumnLayout,
        draft_of: Callable[[str], str],
        draft_keys: Callable[[], Collection[str]],
    ) -> None:
        """`draft_of` returns the unsaved text of a message by its id, or "" if there is none. `draft_keys` returns the
        ids that may have one, so that not every message of a long chat is looked up."""
        super().__init__(area)
        self.editor: MessageEditor | None = None
        self._area = area
        self._column = column
        self._draft_of, self._draft_keys = draft_of, draft_keys
        column.cover_height = self._cover_height

    def edit(self, message_id: str) -> None:
        """Opens the editor in place of a message, and scrolls it into view."""
        if (row := self._column.row_of(message_id)) < 0:
            return
        self._open(row, self._draft_of(message_id), focus=True)
        # If only the end of a long message is visible, the editor, which is shorter, would open above the viewport.
        lowest = self._area.viewport().height() - self._column.exact_height(row) - BOTTOM
        self._column.heights.invalidate(row)
        self._column.scroll_to(row, max(TOP, min(self._column.row_top(row), lowest)))

    def restore_draft(self) -> None:
        """Opens the editor for the last message that has unsaved text. The editor does not get the focus."""
        keys, rows = self._draft_keys(), self._column.messages.rows
        for row in range(len(rows) - 1, -1, -1) if keys and self.editor is None else ():
            if rows[row].id in keys and (draft := self._draft_of(rows[row].id)):
                self._open(row, draft, focus=False)
                self._column.heights.invalidate(row)
                self._column.settle(Anchor(row, self._column.row_top(row)))
                break

    def place(self) -> None:
        """Moves the editor to its message, or closes it if the message is no longer in the list."""
        if self.editor is None:
            return
        if (row := self._column.row_of(self.editor.message_id)) < 0:
            self.close()
            return
        self.editor.set_width(self._column.reading_column()[1])
        self.editor.move(self._column.corner(row) - QPoint(0, RAISED))
        self.editor.raise_()

    def close(self) -> None:
        """Closes the editor. Its unsaved text is kept as a draft. Idempotent."""
        editor, self.editor = self.editor, None
        if editor is None:
            return
        had_focus = editor.isAncestorOf(QApplication.focusWidget() or self._area.viewport())
        editor.hide()
        editor.deleteLater()
        if had_focus:
            self._area.setFocus()
        self._resize(editor.message_id)

    def _cover_height(self, message_id: str) -> int | None:
        if self.editor is None or self.editor.message_id != message_id:
            return None
        return self.editor.height() + SPACE_BELOW

    def _open(self, row: int, draft: str, *, focus: bool) -> None:
        self.close()
        message, width = self._column.message(row), self._column.reading_column()[1]
        editor = self.editor = MessageEditor(message, width, self._area.viewport(), draft)
        editor.saved.connect(self.saved)
        editor.changed.connect(self.changed)
        editor.resized.connect(lambda: self._resize(message.id))
        editor.closed.connect(lambda: self._finish(message.id))
        editor.show()
        if focus:
            editor.edit.setFocus()

    def _finish(self, message_id: str) -> None:
        """Closes the editor after the edit was saved or cancelled, and clears the draft.

        If saving has removed the message from the list, the editor is already closed."""
        self.changed.emit(message_id, "")
        if self.editor is not None and self.editor.message_id == message_id:
            self.close()

    def _resize(self, message_id: str) -> None:
        if (row := self._column.row_of(message_id)) >= 0:
            self._column.resize_row(row)
