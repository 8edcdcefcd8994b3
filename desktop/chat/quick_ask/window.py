"""Quick-ask window, which stays in front of other windows. It has a field for a question, and shows the answer below
it."""

from __future__ import annotations

import sys

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QCursor, QGuiApplication, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from desktop.platform.theme import Theme, scaled
from desktop.store.records import ChatMessage
from desktop.transcript.answer_view import AnswerView
from desktop.transcript.buttons import CopyButton
from desktop.widgets.text_composition import CompositionGuard

WIDTH = 600


class QuickAskWindow(QWidget):
    """Window for a question and its answer. Enter submits the question. Escape hides the window; the answer continues.
    GUI thread only."""

    submitted = Signal(str)
    open_requested = Signal()
    """Emitted to open the chat of the question in the main window."""
    stop_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        # The window has no parent, so that it is visible while the main window is minimised.
        # A tool window has no entry in the task bar. macOS hides tool windows while the app is inactive.
        kind = Qt.WindowType.Window if sys.platform == "darwin" else Qt.WindowType.Tool
        super().__init__(None, kind | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self._theme = theme
        self._message: ChatMessage | None = None
        self._last_question = ""
        self.setObjectName("quickAsk")
        self.setWindowTitle(self.tr("Quick ask"))
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self._card = QFrame(self)
        self._card.setObjectName("quickCard")
        self._flame = QLabel(self._card)
        self.field = self._make_field()
        self._close = QToolButton(self._card)
        self._close.setObjectName("quiet")
        self._close.setIconSize(QSize(14, 14))
        self._close.setAccessibleName(self.tr("Close"))
        self._close.setToolTip(self.tr("Close (Esc)"))
        self._close.clicked.connect(self.hide)
        self.answer = AnswerView(theme, self._card)
        self.answer.grown.connect(self._fit)
        self._foot = self._make_foot()
        self._lay_out()
        theme.changed.connect(self._restyle)
        self._restyle()
        self.show_answer(None)

    def open(self) -> None:
        """Show the window in front and focus the field. The last answer is shown again only if it is still being
        written."""
        if not self.isVisible():
            if self._message is None or self._message.state != "streaming":
                self.show_answer(None)
            if self.field.text().strip() == self._last_question:  # a question that was not submitted stays in the field
                self.field.clear()
            self._place()
        self.show()
        self._fit()  # the sizes of the widgets are final only when the window is shown
        self.raise_()
        self.activateWindow()
        self.field.setFocus()

    def show_answer(self, message: ChatMessage | None) -> None:
        """Show the current state of the answer. With None, hide the answer."""
        self._message = message
        self.answer.show_message(message)
        streaming = message is not None and message.state == "streaming"
        self.answer.setVisible(message is not None)
        self._foot.setVisible(message is not None)
        self._stop.setVisible(streaming)
        self._copy.setVisible(message is not None and not streaming and bool(message.text))
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the user move the window by dragging its background."""
        if watched is self._card and event.type() == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            handle = self.windowHandle()
            return handle is not None and event.button() == Qt.MouseButton.LeftButton and handle.startSystemMove()
        return super().eventFilter(watched, event)

    def _submit(self) -> None:
        text = self.field.text().strip()
        if text and (self._message is None or self._message.state != "streaming"):
            self.field.selectAll()  # the next typed character replaces the question
            self._last_question = text
            self.submitted.emit(text)

    def _make_field(self) -> QLineEdit:
        field = QLineEdit(self._card)
        field.setObjectName("quickField")
        field.setPlaceholderText(self.tr("Ask something"))
        field.setAccessibleName(self.tr("Question"))
        field.setAccessibleDescription(self.tr("Enter sends the question in a new chat, Escape closes"))
        field.returnPressed.connect(self._submit)
        CompositionGuard(field)
        return field

    def _make_foot(self) -> QWidget:
        foot = QWidget(self._card)
        self._open = QPushButton(self.tr("Open as chat"), foot)
        self._open.setObjectName("plain")
        self._open.clicked.connect(self.open_requested)
        self._stop = QPushButton(self.tr("Stop"), foot)
        self._stop.setObjectName("cardQuiet")
        self._stop.clicked.connect(self.stop_requested)
        self._copy = CopyButton(
            lambda: self._message.text if self._message is not None else "",
            self._theme,
            foot,
            label=self.tr("Copy"),
            name=self.tr("Copy the answer"),
        )
        self._copy.setObjectName("cardQuiet")
        row = QHBoxLayout(foot)
        row.setContentsMargins(12, 8, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._copy)
        row.addWidget(self._stop)
        row.addStretch(1)
        row.addWidget(self._open)
        return foot

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setContentsMargins(16, 0, 0, 0)
        line.setSpacing(10)
        line.addWidget(self._flame)
        line.addWidget(self.field, 1)
        line.addWidget(self._close)
        column = QVBoxLayout(self._card)
        column.setContentsMargins(2, 10, 12, 10)
        column.setSpacing(8)
        column.addLayout(line)
        column.addWidget(self.answer, 1)
        column.addWidget(self._foot)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._card)
        self._card.installEventFilter(self)

    def _fit(self) -> None:
        self.answer.setFixedHeight(self.answer.sizeHint().height())
        self.setFixedWidth(scaled(WIDTH))
        for widget in (self._card, self):
            if (layout := widget.layout()) is not None:
                layout.activate()
        self.resize(self.width(), self.sizeHint().height())

    def _place(self) -> None:
        """Move the window to the upper part of the screen that contains the mouse pointer."""
        screen = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
        area = screen.availableGeometry()
        self._fit()
        self.move(area.left() + (area.width() - self.width()) // 2, area.top() + area.height() // 4)

    def _restyle(self) -> None:
        self._flame.setPixmap(self._theme.pixmap("flame", "accent", 16, self.devicePixelRatioF()))
        self._close.setIcon(self._theme.icon("x", "muted"))
        self._copy.restyle()
        self._fit()
