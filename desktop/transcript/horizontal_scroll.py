"""Code and tables that are wider than the page: scrolled by wheel, by touchpad, or by the handle below them."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QWheelEvent

from desktop.transcript.message_item import MessageItem
from desktop.transcript.scrollable_segment import BAR, ScrollableSegment

ROUND_HANDLE = 4
"""Pixels above the handle that take hold of it too."""


class HorizontalScroller:
    """GUI thread only. Each method says whether something moved, or was taken hold of."""

    def __init__(self) -> None:
        self._held: tuple[ScrollableSegment, float] | None = None
        """The card whose handle is held, and what lies left of the pointer beside the handle's own place."""

    @property
    def holds(self) -> bool:
        return self._held is not None

    def wheel(self, item: MessageItem, point: QPointF, event: QWheelEvent) -> bool:
        found = item.scrollable_at(point)
        pixels, angle = event.pixelDelta(), event.angleDelta()
        delta = pixels if not pixels.isNull() else angle / 2
        shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier) and not delta.x()
        along, across = (delta.y(), 0) if shifted else (delta.x(), delta.y())
        return found is not None and abs(along) > abs(across) and found[0].scroll(found[0].offset - along)

    def press(self, item: MessageItem, point: QPointF) -> bool:
        found = item.scrollable_at(point)
        if found is None:
            return False
        card, inside = found
        thumb = card.thumb()
        if not thumb.width() or inside.y() < thumb.top() - ROUND_HANDLE or inside.y() > thumb.bottom() + BAR:
            return False
        if not thumb.left() <= inside.x() <= thumb.right():
            card.scroll_to_thumb(inside.x() - thumb.width() / 2)
        self._held = card, point.x() - card.thumb().left()
        return True

    def move(self, x: float) -> bool:
        """`x` in the reading column."""
        return self._held is not None and self._held[0].scroll_to_thumb(x - self._held[1])

    def release(self) -> bool:
        held, self._held = self._held, None
        return held is not None
