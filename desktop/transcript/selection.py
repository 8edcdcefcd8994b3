"""Selecting text in one or several messages, by mouse and by keyboard, and copying it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QPoint, QPointF, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractScrollArea

from desktop.transcript.column_layout import ColumnLayout
from desktop.transcript.message_item import MessageItem
from desktop.transcript.text_positions import SegmentPosition, TextSpan

DRAG_SCROLL_MS, DRAG_SCROLL_PX = 30, 18


@dataclass(frozen=True, slots=True)
class TextPosition:
    """A position in the text of a message, which is given by its id."""

    message_id: str
    position: SegmentPosition


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection of text. `head` is the end that moves while the user selects; it may be before `anchor`."""

    anchor: TextPosition
    head: TextPosition

    @property
    def is_empty(self) -> bool:
        return self.anchor == self.head


@dataclass(frozen=True, slots=True)
class SelectionRange:
    """The rows that a selection covers. It begins at `start` in row `first` and ends at `end` in row `last`."""

    first: int
    start: SegmentPosition
    last: int
    end: SegmentPosition

    @classmethod
    def of(cls, selection: Selection, row_of: Callable[[str], int]) -> SelectionRange | None:
        """Converts a selection to the rows that it covers. Returns None if one of its ends is in a message that is no
        longer shown."""
        ends = sorted((row_of(end.message_id), end.position) for end in (selection.anchor, selection.head))
        (first, start), (last, end) = ends
        return cls(first, start, last, end) if first >= 0 else None

    def in_row(self, row: int, item: MessageItem) -> TextSpan | None:
        """The selected part of the message `item` in row `row`; None if nothing of it is selected."""
        if not self.first <= row <= self.last or not item.segments:
            return None
        whole = item.whole()
        return (self.start if row == self.first else whole[0], self.end if row == self.last else whole[1])


class TextSelection(QObject):
    """The selected text of the transcript. GUI thread only."""

    def __init__(self, area: QAbstractScrollArea, column: ColumnLayout) -> None:
        super().__init__(area)
        self.current: Selection | None = None
        self._area = area
        self._column = column
        self._dragged_to = QPoint()
        self._scroll_timer = QTimer(self, interval=DRAG_SCROLL_MS)
        self._scroll_timer.timeout.connect(self._scroll_while_dragging)

    @property
    def is_empty(self) -> bool:
        return self.current is None or self.current.is_empty

    @property
    def text(self) -> str:
        """The selected text. Messages are separated by a blank line."""
        return "\n\n".join(filter(None, (item.text_between(*span) for item, span in self._spans())))

    @property
    def markdown(self) -> str:
        """The selection as Markdown: the source of messages that are selected completely, and the plain text of the
        others."""
        parts = (
            item.message.text if span == item.whole() else item.text_between(*span) for item, span in self._spans()
        )
        return "\n\n".join(filter(None, parts))

    def select(self, start: TextPosition, end: TextPosition) -> None:
        self._change(Selection(start, end))

    def begin(self, point: QPoint, *, extend: bool) -> None:
        """Starts a selection at a point of the viewport where the mouse was pressed. With `extend`, the existing
        selection is extended to that point."""
        position = self._position_at(point)
        if extend and position is not None and self.current is not None:
            self._change(replace(self.current, head=position))
        else:
            self._change(Selection(position, position) if position is not None else None)

    def drag_to(self, point: QPoint) -> None:
        """Extends the selection to a point of the viewport. While the point is above or below the viewport, the
        transcript scrolls, until `end_drag` is called."""
        self._dragged_to = point
        self._extend_to(point)
        is_outside = not 0 <= point.y() < self._area.viewport().height()
        if is_outside != self._scroll_timer.isActive():
            self._scroll_timer.start() if is_outside else self._scroll_timer.stop()

    def end_drag(self) -> None:
        self._scroll_timer.stop()

    def select_word(self, item: MessageItem, point: QPointF) -> None:
        """Selects the word at `point`, which is relative to the item's corner."""
        if (position := item.position_at(point)) is not None:
            start, end = item.word_at(position)
            self.select(TextPosition(item.message.id, start), TextPosition(item.message.id, end))

    def select_all(self) -> None:
        """Selects the whole message in which the selection ends, or the last visible message if nothing is selected. If
        exactly this message is selected already, selects the whole chat."""
        rows = self._column.visible_rows()
        if not len(rows):
            return
        message_id = self.current.head.message_id if self.current else self._column.message(rows[-1]).id
        row = max(0, self._column.row_of(message_id))
        message = self._rows(row, row)
        self._change(message if message != self.current else self._rows(0, self._column.n_rows - 1))

    def copy(self) -> None:
        _copy(self.text)

    def copy_markdown(self) -> None:
        _copy(self.markdown)

    def in_message(self, message_id: str) -> TextSpan | None:
        """The selected part of a message; None if nothing of it is selected."""
        if self.is_empty or (selected := self._range()) is None:
            return None
        row = self._column.row_of(message_id)
        return selected.in_row(row, self._column.item(row)) if row >= 0 else None

    def _change(self, selection: Selection | None) -> None:
        self.current = selection
        self._area.viewport().update()

    def _extend_to(self, point: QPoint) -> None:
        position = self._position_at(point)
        if self.current is not None and position is not None:
            self._change(replace(self.current, head=position))

    def _scroll_while_dragging(self) -> None:
        bar = self._area.verticalScrollBar()
        bar.setValue(bar.value() + (DRAG_SCROLL_PX if self._dragged_to.y() > 0 else -DRAG_SCROLL_PX))
        self._extend_to(self._dragged_to)

    def _position_at(self, point: QPoint) -> TextPosition | None:
        if (found := self._column.item_at(point)) is None:
            return None
        item, inside = found
        position = item.position_at(inside)
        return TextPosition(item.message.id, position) if position is not None else None

    def _rows(self, first: int, last: int) -> Selection:
        """A selection of all text in the rows `first` to `last`."""
        start, end = self._column.item(first), self._column.item(last)
        return Selection(TextPosition(start.message.id, start.whole()[0]), TextPosition(end.message.id, end.whole()[1]))

    def _range(self) -> SelectionRange | None:
        return SelectionRange.of(self.current, self._column.row_of) if self.current is not None else None

    def _spans(self) -> Iterator[tuple[MessageItem, TextSpan]]:
        """The messages that are selected, each with its selected part."""
        if (selected := self._range()) is not None:
            for row in range(selected.first, selected.last + 1):
                item = self._column.item(row)
                if (span := selected.in_row(row, item)) is not None:
                    yield item, span


def _copy(text: str) -> None:
    if text:
        QGuiApplication.clipboard().setText(text)
