"""Horizontal scrolling of code blocks and tables that are wider than the page."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QWheelEvent

from desktop.transcript.segment import Segment, fill_rounded

BAR_HEIGHT = 5
MIN_THUMB_WIDTH = 36.0
GRAB_MARGIN = 4
"""A press of the mouse button up to this many pixels above the scroll bar grabs the scroll bar, too."""


class ScrollableSegment(Segment):
    """A code block or table that scrolls horizontally. GUI thread only."""

    fills_width = True
    offset = 0.0
    """How far the content is scrolled to the right, in pixels."""
    padding = 0
    """Pixels to the left and right of the scrolled content."""

    @property
    def content_width(self) -> float:
        raise NotImplementedError

    @property
    def used_width(self) -> float:
        return float(self.width)

    @property
    def max_offset(self) -> float:
        return max(0.0, self.content_width - self.view_width)

    @property
    def view_width(self) -> float:
        """The width of the visible part of the content."""
        return float(self.width - 2 * self.padding)

    def scroll_to(self, offset: float) -> bool:
        """Scrolls to an offset. Returns True if the content moved."""
        before, self.offset = self.offset, min(max(0.0, offset), self.max_offset)
        return self.offset != before

    def thumb(self) -> QRectF:
        """The rectangle of the scroll bar's handle; empty if all content is visible."""
        max_offset = self.max_offset
        if max_offset <= 0:
            return QRectF()
        length = max(MIN_THUMB_WIDTH, self.view_width * self.view_width / (self.view_width + max_offset))
        x = self.padding + (self.view_width - length) * self.offset / max_offset
        return QRectF(x, self.height - BAR_HEIGHT - 3, length, BAR_HEIGHT)

    def move_thumb(self, x: float) -> bool:
        """Scrolls so that the handle begins at `x`. Returns True if the content moved."""
        slack = self.view_width - self.thumb().width()
        return slack > 0 and self.scroll_to((x - self.padding) / slack * self.max_offset)

    def scroll_to_text(self, start: int, end: int) -> None:
        """Scrolls a part of the text into view, unless it is already visible."""
        for box in self.boxes(start, end)[:1]:
            if box.left() < self.padding or box.right() > self.padding + self.view_width:
                self.scroll_to(self.offset + box.left() - self.padding - self.view_width / 3)

    def paint_scroll_bar(self, painter: QPainter) -> None:
        if (thumb := self.thumb()).width():
            fill_rounded(painter, thumb, BAR_HEIGHT / 2, self._theme.colour("scroll"))


Hit = tuple[ScrollableSegment, QPointF] | None
"""The block under the pointer, and the pointer's position relative to the block's corner. None if no such block is
under the pointer."""


class HorizontalScroller:
    """Scrolls code blocks and tables horizontally, by mouse wheel, by touchpad, or by dragging the scroll bar. GUI
    thread only."""

    def __init__(self) -> None:
        self._dragged: tuple[ScrollableSegment, float] | None = None
        """The block whose scroll bar is dragged, and the distance from the handle's left edge to the pointer."""

    @property
    def is_dragging(self) -> bool:
        return self._dragged is not None

    def wheel(self, hit: Hit, event: QWheelEvent) -> bool:
        """Scrolls the block under the pointer; True if it moved. Vertical wheel movement is left to the page, unless
        Shift is pressed."""
        pixels, angle = event.pixelDelta(), event.angleDelta()
        delta = pixels if not pixels.isNull() else angle / 2
        is_shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier) and not delta.x()
        along, across = (delta.y(), 0) if is_shifted else (delta.x(), delta.y())
        return hit is not None and abs(along) > abs(across) and hit[0].scroll_to(hit[0].offset - along)

    def press(self, hit: Hit, x: float) -> bool:
        """Grabs the scroll bar under the pointer; True if there is one. `x` is the pointer's position relative to the
        message."""
        if hit is None:
            return False
        segment, inside = hit
        thumb = segment.thumb()
        if not thumb.width() or not thumb.top() - GRAB_MARGIN <= inside.y() <= thumb.bottom() + BAR_HEIGHT:
            return False
        if not thumb.left() <= inside.x() <= thumb.right():
            segment.move_thumb(inside.x() - thumb.width() / 2)
        self._dragged = segment, x - segment.thumb().left()
        return True

    def drag_to(self, x: float) -> bool:
        """Moves the grabbed scroll bar; True if the block scrolled. `x` is the pointer's position relative to the
        message."""
        return self._dragged is not None and self._dragged[0].move_thumb(x - self._dragged[1])

    def release(self) -> bool:
        """Ends the dragging of a scroll bar. Returns True if one was being dragged."""
        dragged, self._dragged = self._dragged, None
        return dragged is not None
