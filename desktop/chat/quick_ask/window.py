"""A small window above all others: one line to ask in, and the answer below it."""

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
    """Enter asks, Escape hides it; what is being written goes on in its chat. GUI thread only."""

    asked = Signal(str)
    open_requested = Signal()
    """The chat that was begun here, in the window."""
    stop_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        # Without a parent, so that it is seen while the window is minimised. A tool's window has no place in the
        # task bar, but on macOS it would go away with the app.
        kind = Qt.WindowType.Window if sys.platform == "darwin" else Qt.WindowType.Tool
        super().__init__(None, kind | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self._theme = theme
        self._message: ChatMessage | None = None
        self._asked = ""
        self.setObjectName("quickAsk")
        self.setWindowTitle(self.tr("Quick ask"))
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self._card = QFrame(self)
        self._card.setObjectName("quickCard")
        self._flame = QLabel(self._card)
        self.field = QLineEdit(self._card)
        self.field.setObjectName("quickField")
        self.field.setPlaceholderText(self.tr("Ask something"))
        self.field.setAccessibleName(self.tr("Question"))
        self.field.setAccessibleDescription(self.tr("Enter asks in a new chat, Escape closes"))
        self.field.returnPressed.connect(self._ask)
        CompositionGuard(self.field)
        self._close = QToolButton(self._card)
        self._close.setObjectName("quiet")
        self._close.setIconSize(QSize(14, 14))
        self._close.setAccessibleName(self.tr("Close"))
        self._close.setToolTip(self.tr("Close (Esc)"))
        self._close.clicked.connect(self.hide)
        self.answer = AnswerView(theme, self._card)
        self.answer.grown.connect(self._fit)
        self._foot = QWidget(self._card)
        self._lay_out()
        theme.changed.connect(self._restyle)
        self._restyle()
        self.show_answer(None)

    def open(self) -> None:
        """In front of everything, ready to be typed into. What is still being written stays in sight."""
        if not self.isVisible():
            if self._message is None or self._message.state != "streaming":
                self.show_answer(None)
            if self.field.text().strip() == self._asked:  # what was not asked yet stays
                self.field.clear()
            self._place()
        self.show()
        self._fit()  # only now are all sizes known
        self.raise_()
        self.activateWindow()
        self.field.setFocus()

    def show_answer(self, message: ChatMessage | None) -> None:
        """How the answer stands now; None: nothing was asked yet."""
        self._message = message
        self.answer.show_message(message)
        live = message is not None and message.state == "streaming"
        self.answer.setVisible(message is not None)
        self._foot.setVisible(message is not None)
        self._stop.setVisible(live)
        self._copy.setVisible(message is not None and not live and bool(message.text))
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The card is what one takes hold of to move the window."""
        if watched is self._card and event.type() == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            handle = self.windowHandle()
            return handle is not None and event.button() == Qt.MouseButton.LeftButton and handle.startSystemMove()
        return super().eventFilter(watched, event)

    def _ask(self) -> None:
        text = self.field.text().strip()
        if text and (self._message is None or self._message.state != "streaming"):
            self.field.selectAll()  # it says what was asked, and goes with the next letter
            self._asked = text
            self.asked.emit(text)

    def _lay_out(self) -> None:
        self._open = QPushButton(self.tr("Open as chat"), self._foot)
        self._open.setObjectName("plain")
        self._open.clicked.connect(self.open_requested)
        self._stop = QPushButton(self.tr("Stop"), self._foot)
        self._stop.setObjectName("cardQuiet")
        self._stop.clicked.connect(self.stop_requested)
        self._copy = CopyButton(
            lambda: self._message.text if self._message is not None else "",
            self._theme,
            self._foot,
            label=self.tr("Copy"),
            name=self.tr("Copy the answer"),
        )
        self._copy.setObjectName("cardQuiet")
        foot = QHBoxLayout(self._foot)
        foot.setContentsMargins(12, 8, 0, 0)
        foot.setSpacing(8)
        foot.addWidget(self._copy)
        foot.addWidget(self._stop)
        foot.addStretch(1)
        foot.addWidget(self._open)
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
        """In the upper part of the screen on which the pointer is."""
        screen = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
        area = screen.availableGeometry()
        self._fit()
        self.move(area.left() + (area.width() - self.width()) // 2, area.top() + area.height() // 4)

    def _restyle(self) -> None:
        self._flame.setPixmap(self._theme.pixmap("flame", "accent", 16, self.devicePixelRatioF()))
        self._close.setIcon(self._theme.icon("x", "muted"))
        self._copy.restyle()
        self._fit()
