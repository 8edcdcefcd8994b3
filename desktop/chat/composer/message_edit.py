"""The text field of the composer."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, Qt, Signal
from PySide6.QtGui import QDropEvent, QKeyEvent, QKeySequence, QTextOption
from PySide6.QtWidgets import QWidget

from desktop.chat.attachments.drop_zone import files_of, is_picture
from desktop.platform.bidi import direction_of
from desktop.platform.theme import text_font
from desktop.widgets.long_text_edit import LongTextEdit
from desktop.widgets.text_composition import CompositionGuard

MAX_LINES = 8


class MessageEdit(LongTextEdit):
    """Text field for a message. Enter submits the message, Shift+Enter inserts a line break. The field grows with its
    text, up to `MAX_LINES`."""

    submitted = Signal()
    files_given = Signal(list)
    """Emitted with the paths of pasted or dropped files. The list is empty for a picture without a file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(text_font(15))
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self.textChanged.connect(self._update_direction)
        CompositionGuard(self)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.submitted.emit()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """If the field has nothing to undo, leave the undo shortcut to the window."""
        match event:
            case QKeyEvent() if event.type() == QEvent.Type.ShortcutOverride:
                if event.matches(QKeySequence.StandardKey.Undo) and not self.document().isUndoAvailable():
                    event.ignore()
                    return False
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return bool(files_of(source)) or is_picture(source) or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        if files_of(source) or is_picture(source):
            self.files_given.emit(files_of(source))
        else:
            super().insertFromMimeData(source)

    def dropEvent(self, event: QDropEvent) -> None:
        if files_of(event.mimeData()):
            # With a move action, the file manager would delete the original file.
            event.setDropAction(Qt.DropAction.CopyAction)
        super().dropEvent(event)

    def _update_direction(self) -> None:
        """Set the direction of the text, and align right-to-left text at the right."""
        direction = direction_of(self.toPlainText())
        option = self.document().defaultTextOption()
        if option.textDirection() != direction:
            is_rtl = direction == Qt.LayoutDirection.RightToLeft
            option.setTextDirection(direction)
            option.setAlignment(Qt.AlignmentFlag.AlignRight if is_rtl else Qt.AlignmentFlag.AlignLeft)
            self.document().setDefaultTextOption(option)

    def _fit(self) -> None:
        # QPlainTextDocumentLayout measures heights in lines, not in pixels
        lines = max(1, round(self.document().size().height()))
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if lines > MAX_LINES else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)
        self.setFixedHeight(min(lines, MAX_LINES) * self.fontMetrics().lineSpacing() + 4)
