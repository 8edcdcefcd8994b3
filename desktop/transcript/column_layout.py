"""The column that messages stand in: it lays out what is seen, guesses the rest, and never jumps."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from desktop.chat.message_list import MessageList
from desktop.platform.theme import Theme
from desktop.render.excerpt import excerpt
from desktop.store.records import ChatMessage
from desktop.transcript.message_item import MessageItem
from desktop.transcript.place import SegmentPosition
from desktop.transcript.row_heights import RowHeights
from desktop.transcript.user_message_item import UserMessageItem

COLUMN = 700
MARGIN = 24
TOP, BOTTOM = 24, 20
NEAR_END = 24


class Column(QAbstractScrollArea):
    """Layout, scrolling and drawing. `TranscriptPage` fills it. GUI thread only."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._list: MessageList | None = None
        self._heights = RowHeights()
        self._items: dict[str, MessageItem] = {}
        self._follow = True
        self._settling = False
        self._seen_at = 0
        self._top_id = ""
        """The message at the top of what is seen: a branch that holds it too stays where it is."""
        self._top_y = 0
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # All of it is painted here, so that Qt need not do so before, and may shift what is there.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Conversation"))
        self.verticalScrollBar().setSingleStep(48)

    @property
    def at_end(self) -> bool:
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() - NEAR_END

    def go_to_end(self) -> None:
        self._follow = True
        self._settle()

    # What is laid out where

    def _column(self) -> tuple[int, int]:
        """Left edge and width of the reading column; it stays where it is when the scroll bar comes or goes."""
        width = max(120, min(COLUMN, self.width() - 2 * MARGIN))
        return (self.width() - width) // 2, width

    def _message(self, row: int) -> ChatMessage:
        if self._list is None:
            raise IndexError(row)
        return self._list[row]

    def _item(self, row: int) -> MessageItem:
        message = self._message(row)
        item = self._items.pop(message.id, None)
        _, width = self._column()
        if item is None:
            item = self._make(message, width)
        elif item.width != width:
            item.set_width(width)
        self._items[message.id] = item  # the most recently used stands last
        return item

    def _make(self, message: ChatMessage, width: int) -> MessageItem:
        """Lays a message out for the first time."""
        raise NotImplementedError

    def _guess(self, message: ChatMessage) -> int:
        """A height from the number of letters, good enough for a scroll bar."""
        letters_a_line = max(20, self._column()[1] // 7)
        text = excerpt(message.text)
        lines = 1 + text.count("\n") + len(text) // letters_a_line
        return 24 * lines + (68 if message.role == "user" else 60)

    def _corner(self, row: int) -> QPoint:
        """Where the message's own corner stands in the viewport."""
        above = self._space_above(row)
        return QPoint(self._column()[0], TOP + self._heights.top(row) + above - self.verticalScrollBar().value())

    def _space_above(self, row: int) -> int:
        if row == 0:
            return 0
        return UserMessageItem.space_above if self._message(row).role == "user" else MessageItem.space_above

    def _row_at(self, viewport_y: int) -> int:
        return self._heights.row_at(viewport_y + self.verticalScrollBar().value() - TOP)

    def _seen_rows(self) -> range:
        first = self._row_at(0)
        return range(first, self._row_at(self.viewport().height()) + 1) if first >= 0 else range(0)

    def _height(self, row: int) -> int:
        return self._item(row).height + self._space_above(row)

    def _row_of(self, message_id: str) -> int:
        """-1 where it is not shown."""
        rows = range(len(self._heights) - 1, -1, -1)
        return next((row for row in rows if self._message(row).id == message_id), -1)

    def _lay_out_seen(self) -> bool:
        """Makes the heights of what is seen exact; True where something moved."""
        moved = False
        for row in self._seen_rows():
            if not self._heights.is_exact(row):
                moved |= self._heights.put(row, self._height(row))
        return moved

    def _settle(self, anchor: int = -1, anchor_y: int = 0) -> None:
        """Lays out what is seen, and draws it anew."""
        self._lay_out(anchor, anchor_y)
        self.viewport().update()
        self.settled()

    def _lay_out(self, anchor: int, anchor_y: int) -> None:
        """Until nothing moves; row `anchor` keeps its top at `anchor_y` in the viewport."""
        bar = self.verticalScrollBar()
        self._settling = True
        for _ in range(12):  # each round makes at least one more row exact; a screen has few
            bar.setPageStep(self.viewport().height())
            bar.setRange(0, max(0, TOP + self._heights.total + BOTTOM - self.viewport().height()))
            if self._follow:
                bar.setValue(bar.maximum())
            elif anchor >= 0:
                bar.setValue(TOP + self._heights.top(anchor) - anchor_y)
            if not self._lay_out_seen():
                break
        self._settling = False
        self._seen_at = bar.value()
        top, self._top_y = self._hold()
        self._top_id = self._message(top).id if top >= 0 else ""
        self._laid_out()

    def _laid_out(self) -> None:
        """Puts what stands beside the messages where they stand now."""

    def settled(self) -> None:
        """Called after every change of layout or scroll."""

    def _hold(self) -> tuple[int, int]:
        """The first row that is seen, and where its top stands."""
        row = self._row_at(0)
        return row, (TOP + self._heights.top(row) - self.verticalScrollBar().value()) if row >= 0 else 0

    # What Qt asks for

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._relay(all_rows=event.oldSize().width() != event.size().width())

    def _relay(self, *, all_rows: bool) -> None:
        """Rows have other heights, all of them where that is said; what is read stays where it is."""
        row = self._row_at(0)
        height = self._heights[row] if row >= 0 else 1
        share = (self.verticalScrollBar().value() - TOP - self._heights.top(row)) / max(1, height) if row >= 0 else 0.0
        if all_rows:
            for number in range(len(self._heights)):
                self._heights.invalidate(number)
        if row >= 0:
            self._heights.put(row, self._height(row))
            self._settle(row, -round(share * self._heights[row]))
        else:
            self._settle()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        if self._settling:
            return
        self._follow = self.at_end
        value = self.verticalScrollBar().value()
        moved = value - self._seen_at
        # A row that was seen before stays where the scroll puts it; so guesses above it that prove wrong move nothing.
        near = abs(moved) < self.viewport().height()
        anchor = self._heights.row_at((self._seen_at if near else value) - TOP)
        top = TOP + self._heights.top(anchor) if anchor >= 0 else 0
        self._settle(anchor, top - value)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), self._theme.colour("bg"))
        last = self._row_at(event.rect().bottom())
        for row in range(self._row_at(event.rect().top()), last + 1) if last >= 0 else ():
            if not self._is_painted(row):
                continue
            corner = self._corner(row)
            painter.save()
            painter.translate(corner)
            seen = QRectF(event.rect()).translated(QPointF(-corner.x(), -corner.y()))
            item = self._item(row)
            item.paint(painter, seen, self.selected_in(item.message.id))
            painter.restore()

    def _is_painted(self, row: int) -> bool:
        """False for a row that a widget covers."""
        return True

    def selected_in(self, message_id: str) -> tuple[SegmentPosition, SegmentPosition] | None:
        """What is selected in a message, the earlier place first."""
        return None

    def viewportSizeHint(self) -> QSize:
        return QSize(COLUMN + 2 * MARGIN, 400)
