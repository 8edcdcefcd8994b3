"""Where the person writes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextOption
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from desktop.theme import Theme, text_font
from desktop.widgets.gauge import Gauge

MOST_LINES = 8
WIDTH = 732


class MessageEdit(QPlainTextEdit):
    """Enter submits, Shift+Enter begins a line. Grows with its text to `MOST_LINES`."""

    submitted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(text_font(15))
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.submitted.emit()
        else:
            super().keyPressEvent(event)

    def _fit(self) -> None:
        lines = max(1, round(self.document().size().height()))  # QPlainTextEdit counts in lines
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if lines > MOST_LINES else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)
        self.setFixedHeight(min(lines, MOST_LINES) * self.fontMetrics().lineSpacing() + 4)


class Composer(QFrame):
    """`submitted` carries the text, which stays until `clear`: what was not taken is not lost."""

    submitted = Signal(str)
    stop_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._answering = False
        self.setObjectName("composer")
        self.setMaximumWidth(WIDTH)
        self._edit = MessageEdit(self)
        self._edit.setPlaceholderText(self.tr("Message Inglenook"))
        self._edit.setAccessibleName(self.tr("Message"))
        self._edit.submitted.connect(self._submit)
        self._edit.textChanged.connect(self._restyle)
        self._edit.installEventFilter(self)
        self._gauge = Gauge(theme, self)
        self._send = QToolButton(self)
        self._send.setObjectName("send")
        self._send.setFixedSize(30, 30)
        self._send.clicked.connect(self._pressed)
        self._lay_out()
        self.setFocusProxy(self._edit)
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def text(self) -> str:
        return self._edit.toPlainText()

    def clear(self) -> None:
        self._edit.clear()

    def begin_with(self, text: str) -> None:
        """Puts a beginning into the empty field, to be written on."""
        self._edit.setPlainText(text)
        self._edit.moveCursor(self._edit.textCursor().MoveOperation.End)
        self._edit.setFocus()

    def set_answering(self, answering: bool) -> None:
        self._answering = answering
        self._restyle()

    def set_usage(self, n_tokens: int, n_ctx: int) -> None:
        """How much of what the model can read this chat takes; nothing is shown while that is unknown."""
        self._gauge.show_share(n_tokens, n_ctx)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._edit and event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.setProperty("focused", event.type() == QEvent.Type.FocusIn)
            self.style().unpolish(self)
            self.style().polish(self)
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        hint = QLabel(self.tr("Shift Enter for a new line"), self)
        hint.setObjectName("composerNote")
        row.addWidget(hint)
        row.addStretch(1)
        row.addWidget(self._gauge)
        row.addWidget(self._send)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 13, 12, 10)
        column.setSpacing(10)
        column.addWidget(self._edit)
        column.addLayout(row)

    def _pressed(self) -> None:
        if self._answering:
            self.stop_asked.emit()
        else:
            self._submit()

    def _submit(self) -> None:
        if not self._answering and self.text.strip():
            self.submitted.emit(self.text)

    def _restyle(self) -> None:
        stops = self._answering
        name = self.tr("Stop the answer") if stops else self.tr("Send the message")
        self._send.setAccessibleName(name)
        self._send.setToolTip(self.tr("Stop (Esc)") if stops else self.tr("Send (Enter)"))
        self._send.setEnabled(stops or bool(self.text.strip()))
        token = "on_accent" if self._send.isEnabled() else "muted"
        self._send.setIcon(self._theme.icon("stop" if stops else "arrow-up", token))
        self._send.setIconSize(QSize(16, 16))
