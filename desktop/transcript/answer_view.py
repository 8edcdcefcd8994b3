"""A widget that shows a single answer while it streams, drawn as in the transcript. Used by the quick-ask window."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from desktop.platform.theme import Theme
from desktop.store.records import ChatMessage
from desktop.transcript.accessibility import announce
from desktop.transcript.answer_status import STATUS_POLL_MS, StatusOf, WaitStatus
from desktop.transcript.message_item import MessageItem
from desktop.transcript.throttle import Throttle

REDRAW_MS = 40
MARGIN, SPACE_ABOVE, SPACE_BELOW, BORDER = 18, 12, 4, 2
MAX_HEIGHT = 380


class AnswerView(QAbstractScrollArea):
    """Shows one answer. The view is as high as the answer, up to `MAX_HEIGHT`; a longer answer scrolls, and its end
    stays visible while it streams. GUI thread only."""

    grown = Signal()
    """The answer, and with it `sizeHint`, has changed."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.wait_status_of: StatusOf = lambda message_id: WaitStatus()
        """Returns what a streaming answer is waiting for, by its message id."""
        self._status_timer = QTimer(self, interval=STATUS_POLL_MS)
        self._status_timer.timeout.connect(self._refresh_status)
        self._theme = theme
        self._item: MessageItem | None = None
        self._message: ChatMessage | None = None
        self._throttle = Throttle(REDRAW_MS, self._update_item, self)
        self.setObjectName("quickAnswer")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Answer"))
        self.verticalScrollBar().setSingleStep(32)
        theme.changed.connect(self._restyle)

    def show_message(self, message: ChatMessage | None) -> None:
        """Shows another answer, or a newer state of the same one. With None, the view is cleared."""
        if message is None or self._message is None or message.id != self._message.id:
            self._item = None
        self._message = message
        self._throttle.request()
        if message is not None and message.state == "streaming":
            self._status_timer.start() if not self._status_timer.isActive() else None
        else:
            self._status_timer.stop()
        if message is not None and message.state != "streaming":
            self.setAccessibleDescription(message.text)
            announce(self, message.text)

    @property
    def shown_text(self) -> str:
        """The text of the answer as it is drawn."""
        return "\n\n".join(self._item.texts()) if self._item is not None else ""

    def sizeHint(self) -> QSize:
        return QSize(400, min(MAX_HEIGHT, self._height() + BORDER))

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._item is not None:
            self._item.set_width(self._column())
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), self._theme.colour("surface"))
        if self._item is not None:
            top = SPACE_ABOVE - self.verticalScrollBar().value()
            painter.translate(MARGIN, top)
            area = QRectF(event.rect()).translated(-MARGIN, -top)
            self._item.paint(painter, area, None)
        painter.end()

    def _refresh_status(self) -> None:
        if self._item is not None and self._item.update_status(self.wait_status_of):
            self._fit()
            self.grown.emit()

    def _update_item(self) -> None:
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
        return SPACE_ABOVE + self._item.height + SPACE_BELOW if self._item is not None else 0

    def _column(self) -> int:
        return max(120, self.viewport().width() - 2 * MARGIN)

    def _restyle(self) -> None:
        if self._item is not None:
            self._item.restyle()
        self._fit()
