"""One answer by itself, drawn as on the page of its chat, while it grows."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from desktop.platform.theme import Theme
from desktop.store.records import ChatMessage
from desktop.transcript.answer_status import STATUS_POLL_MS, WaitStatus
from desktop.transcript.message_item import MessageItem, StatusOf
from desktop.transcript.throttle import Throttle

REDRAW_MS = 40
MARGIN, ABOVE, BELOW, LINE = 18, 12, 4, 2
HIGHEST = 380


class AnswerView(QAbstractScrollArea):
    """As high as its answer, up to `HIGHEST`; then it scrolls, and follows what is written. GUI thread only."""

    grown = Signal()
    """It wants to be as high as `sizeHint` says."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.wait_status_of: StatusOf = lambda message_id: WaitStatus()
        """What the answer waits for."""
        self._pulse = QTimer(self, interval=STATUS_POLL_MS)
        self._pulse.timeout.connect(self._refresh_sign)
        self._theme = theme
        self._item: MessageItem | None = None
        self._message: ChatMessage | None = None
        self._throttle = Throttle(REDRAW_MS, self._take, self)
        self.setObjectName("quickAnswer")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Answer"))
        self.verticalScrollBar().setSingleStep(32)
        theme.changed.connect(self._restyle)

    def show_message(self, message: ChatMessage | None) -> None:
        """Another answer, or more of the same."""
        if message is None or self._message is None or message.id != self._message.id:
            self._item = None
        self._message = message
        self._throttle.request()
        if message is not None and message.state == "streaming":
            self._pulse.start() if not self._pulse.isActive() else None
        else:
            self._pulse.stop()
        if message is not None and message.state != "streaming":
            self.setAccessibleDescription(message.text)
            if QAccessible.isActive():
                QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, message.text))

    @property
    def shown_text(self) -> str:
        """What is drawn."""
        return "\n\n".join(self._item.texts()) if self._item is not None else ""

    def sizeHint(self) -> QSize:
        return QSize(400, min(HIGHEST, self._height() + LINE))

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._item is not None:
            self._item.set_width(self._column())
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), self._theme.colour("surface"))
        if self._item is not None:
            top = ABOVE - self.verticalScrollBar().value()
            painter.translate(MARGIN, top)
            seen = QRectF(event.rect()).translated(-MARGIN, -top)
            self._item.paint(painter, seen, None)
        painter.end()

    def _refresh_sign(self) -> None:
        if self._item is not None and self._item.update_status(self.wait_status_of):
            self._fit()
            self.grown.emit()

    def _take(self) -> None:
        if self._message is not None and self._item is None:
            self._item = MessageItem(self._message, self._theme, self._column())
        elif self._message is not None and self._item is not None:
            self._item.update(self._message)
        self._fit()
        self.grown.emit()

    def _fit(self) -> None:
        bar = self.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 8
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, self._height() - self.viewport().height()))
        if follows and self._message is not None and self._message.state == "streaming":
            bar.setValue(bar.maximum())
        self.viewport().update()

    def _height(self) -> int:
        return ABOVE + self._item.height + BELOW if self._item is not None else 0

    def _column(self) -> int:
        return max(120, self.viewport().width() - 2 * MARGIN)

    def _restyle(self) -> None:
        if self._item is not None:
            self._item.restyle()
        self._fit()
