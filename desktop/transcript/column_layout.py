"""The vertical layout of a transcript. Only visible messages are laid out, and the heights of all others are estimated.
Visible text does not move when an estimate is corrected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QObject, QPoint, QPointF, QRect, QRectF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractScrollArea

from desktop.chat.message_list import MessageList
from desktop.render.long_text import excerpt
from desktop.store.records import ChatMessage, Role
from desktop.transcript.item_cache import ItemCache
from desktop.transcript.message_item import MessageItem
from desktop.transcript.row_heights import RowHeights
from desktop.transcript.text_positions import TextSpan
from desktop.transcript.user_message_item import UserMessageItem

COLUMN_WIDTH = 700
MARGIN = 24
TOP, BOTTOM = 24, 20
"""The space in pixels above the first message and below the last."""
NEAR_END = 24
MAX_LAYOUT_ROUNDS = 12


class Anchor(NamedTuple):
    """A row, and the y coordinate of its top in the viewport. Row -1 means no row."""

    row: int = -1
    y: int = 0


NO_ANCHOR = Anchor()


class ColumnLayout(QObject):
    """The layout of the messages of a chat in a scroll area: one row per message, in one column. GUI thread only.

    Rows that have not been visible yet have estimated heights. A new layout leaves one row, the anchor, at its position
    in the viewport, so that visible text does not move when exact heights replace estimates."""

    laid_out = Signal()
    """Rows may have moved, so the widgets that belong to messages must be moved, too. Emitted before `settled`."""
    settled = Signal()
    """The layout or the scroll position has changed."""

    def __init__(self, area: QAbstractScrollArea, cache: ItemCache, messages: MessageList) -> None:
        super().__init__(area)
        self.messages = messages
        self.heights = RowHeights()
        self.follows_end = True
        """Whether the end of the chat stays visible while the chat grows."""
        self.top_id = ""
        """The id of the message at the top of the viewport. When another branch of the chat is shown that contains this
        message, the message stays in place."""
        self.top_y = 0
        self.cover_height: Callable[[str], int | None] = lambda message_id: None
        """Returns the height of the widget that covers a message, such as its editor; None if no widget covers it."""
        self._area = area
        self._bar = area.verticalScrollBar()
        self._cache = cache
        self._is_settling = False
        self._scrolled_to = 0

    @property
    def n_rows(self) -> int:
        return len(self.heights)

    def reading_column(self) -> tuple[int, int]:
        """The left edge and the width of the column. They do not depend on whether the scroll bar is visible."""
        width = max(120, min(COLUMN_WIDTH, self._area.width() - 2 * MARGIN))
        return (self._area.width() - width) // 2, width

    def message(self, row: int) -> ChatMessage:
        return self.messages[row]

    def item(self, row: int) -> MessageItem:
        """The layout of the message in a row, at the width of the column."""
        message = self.message(row)
        return self._cache.lay_out(message, self.messages.alternatives(message.id), self.reading_column()[1])

    def row_of(self, message_id: str) -> int:
        """The row of a message; -1 if the message is not in the list."""
        if not message_id:
            return -1
        rows = self.messages.rows
        return next((row for row in range(len(rows) - 1, -1, -1) if rows[row].id == message_id), -1)

    def row_at(self, viewport_y: int) -> int:
        """The row at a y coordinate of the viewport, or the nearest row; -1 if there are no rows."""
        return self.heights.row_at(viewport_y + self._bar.value() - TOP)

    def visible_rows(self) -> range:
        first = self.row_at(0)
        return range(first, self.row_at(self._area.viewport().height()) + 1) if first >= 0 else range(0)

    def row_top(self, row: int) -> int:
        """The y coordinate of the top of a row in the viewport. The space above a message belongs to its row."""
        return TOP + self.heights.top(row) - self._bar.value()

    def corner(self, row: int) -> QPoint:
        """The top left corner of the message of a row, in the viewport."""
        return QPoint(self.reading_column()[0], self.row_top(row) + self.space_above(row))

    def space_above(self, row: int) -> int:
        if row == 0:
            return 0
        return UserMessageItem.space_above if self.message(row).role == "user" else MessageItem.space_above

    def item_at(self, point: QPoint) -> tuple[MessageItem, QPointF] | None:
        """The message at a point of the viewport, and that point relative to the message's corner."""
        row = self.row_at(point.y())
        return (self.item(row), QPointF(point - self.corner(row))) if row >= 0 else None

    def is_covered(self, row: int) -> bool:
        """Whether a widget, such as the editor, is shown in place of the message."""
        return self.cover_height(self.message(row).id) is not None

    @property
    def at_end(self) -> bool:
        return self._bar.value() >= self._bar.maximum() - NEAR_END

    def reset(self) -> None:
        """Estimates all heights again after the list was replaced.

        The message at the top of the viewport stays in place if the list still contains it and no answer is streaming.
        Otherwise the end is shown."""
        rows = self.messages.rows
        self.heights.reset(self._estimates(rows))
        is_growing = bool(rows) and rows[-1].state == "streaming"
        anchor = Anchor(-1 if is_growing else self.row_of(self.top_id), self.top_y)
        self.follows_end = anchor.row < 0
        self.settle(anchor)

    def insert(self, first: int, last: int) -> None:
        """Adds rows that were inserted into the list, and scrolls to the end."""
        self.heights.insert(first, self._estimates(self.messages.rows[first : last + 1]))
        self.scroll_to_end()

    def hold(self) -> Anchor:
        """The current scroll position as an anchor: the first visible row, and where its top is."""
        row = self.row_at(0)
        return Anchor(row, self.row_top(row)) if row >= 0 else NO_ANCHOR

    def settle(self, anchor: Anchor = NO_ANCHOR) -> None:
        """Lays out the visible rows, and schedules a repaint of the viewport."""
        self.lay_out(anchor)
        self._area.viewport().update()
        self.settled.emit()

    def lay_out(self, anchor: Anchor) -> None:
        """Lays out the visible rows. If `follows_end`, the end of the chat is then visible; otherwise the top of row
        `anchor.row` is at `anchor.y`."""
        bar = self._bar
        self._is_settling = True
        # few rounds suffice: each one makes a height exact, and few rows are visible
        for _ in range(MAX_LAYOUT_ROUNDS):
            bar.setPageStep(self._area.viewport().height())
            bar.setRange(0, max(0, TOP + self.heights.total + BOTTOM - self._area.viewport().height()))
            if self.follows_end:
                bar.setValue(bar.maximum())
            elif anchor.row >= 0:
                bar.setValue(TOP + self.heights.top(anchor.row) - anchor.y)
            if not self._measure_visible():
                break
        self._is_settling = False
        self._scrolled_to = bar.value()
        top, self.top_y = self.hold()
        self.top_id = self.message(top).id if top >= 0 else ""
        self.laid_out.emit()

    def resize_row(self, row: int) -> None:
        """Lays out again after the height of a row has changed. The top of that row does not move."""
        top = self.row_top(row)
        self.heights.invalidate(row)
        self.scroll_to(row, top)

    def resize_all(self, *, is_width: bool = True) -> None:
        """Lays out again after the viewport was resized. `is_width` means that the width, and so the height of each
        row, may have changed. Afterwards the same fraction of the first visible row is above the viewport as before."""
        row = self.row_at(0)
        height = self.heights[row] if row >= 0 else 1
        share = -self.row_top(row) / max(1, height) if row >= 0 else 0.0
        if is_width:
            self.heights.invalidate_all()
        if row < 0:
            self.settle()
            return
        self.heights.put(row, self.exact_height(row))
        self.settle(Anchor(row, -round(share * self.heights[row])))

    def exact_height(self, row: int) -> int:
        """The height of a row, including the space above its message. Lays the message out if necessary."""
        cover = self.cover_height(self.message(row).id)
        return (self.item(row).height if cover is None else cover) + self.space_above(row)

    def _measure_visible(self) -> bool:
        """Replaces the estimated heights of visible rows by exact ones. Returns True if a height was different."""
        moved = False
        for row in self.visible_rows():
            if not self.heights.is_exact(row):
                moved |= self.heights.put(row, self.exact_height(row))
        return moved

    def _estimates(self, messages: Sequence[ChatMessage]) -> list[int]:
        """Estimates of the messages' heights in pixels, from the lengths of their texts. They are good enough for the
        scroll bar."""
        characters_per_line = max(20, self.reading_column()[1] // 7)
        return [_estimate(excerpt(message.text), message.role, characters_per_line) for message in messages]

    def scroll_to_end(self) -> None:
        """Shows the end of the chat, and keeps it visible while the chat grows."""
        self.follows_end = True
        self.settle()

    def scroll_to(self, row: int, y: int = TOP) -> None:
        """Scrolls so that the top of a row is at `y` in the viewport."""
        self.follows_end = False
        self.settle(Anchor(row, y))

    def scrolled(self) -> None:
        """Called after the value of the scroll bar has changed."""
        if self._is_settling:
            return
        self.follows_end = self.at_end
        value = self._bar.value()
        # The anchor is a row that was visible before, so that wrong estimates above it do not move visible text.
        is_near = abs(value - self._scrolled_to) < self._area.viewport().height()
        anchor = self.heights.row_at((self._scrolled_to if is_near else value) - TOP)
        self.settle(Anchor(anchor, self.row_top(anchor) if anchor >= 0 else 0))

    def paint(self, painter: QPainter, area: QRect, selected_in: Callable[[str], TextSpan | None]) -> None:
        """Draws the messages in the rectangle `area` of the viewport. `selected_in` returns the selected part of a
        message by its id."""
        last = self.row_at(area.bottom())
        for row in range(self.row_at(area.top()), last + 1) if last >= 0 else ():
            if self.is_covered(row):
                continue
            corner = QPointF(self.corner(row))
            item = self.item(row)
            painter.save()
            painter.translate(corner)
            item.paint(painter, QRectF(area).translated(-corner), selected_in(item.message.id))
            painter.restore()


def _estimate(text: str, role: Role, characters_per_line: int) -> int:
    n_lines = 1 + text.count("\n") + len(text) // characters_per_line
    return 24 * n_lines + (68 if role == "user" else 60)
