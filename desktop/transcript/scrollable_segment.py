"""A block that is scrolled sideways where it is wider than the page: code and tables."""

from __future__ import annotations

from PySide6.QtCore import QRectF

from desktop.transcript.segment import Segment

BAR = 5
SHORTEST_THUMB = 36.0


class ScrollableSegment(Segment):
    """GUI thread only."""

    is_card = True
    offset = 0.0
    """How far it is scrolled to the right."""

    padding = 0
    """At the left and at the right of what is scrolled."""

    @property
    def content_width(self) -> float:
        raise NotImplementedError

    @property
    def used_width(self) -> float:
        return float(self.width)

    @property
    def furthest(self) -> float:
        """How far it can be scrolled."""
        return max(0.0, self.content_width - self.inner)

    @property
    def inner(self) -> float:
        """How much of the content is seen at once."""
        return float(self.width - 2 * self.padding)

    def scroll(self, offset: float) -> bool:
        """True where it moved."""
        before, self.offset = self.offset, min(max(0.0, offset), self.furthest)
        return self.offset != before

    def thumb(self) -> QRectF:
        """The handle of the bar below; empty where everything is seen."""
        furthest = self.furthest
        if furthest <= 0:
            return QRectF()
        length = max(SHORTEST_THUMB, self.inner * self.inner / (self.inner + furthest))
        x = self.padding + (self.inner - length) * self.offset / furthest
        return QRectF(x, self.height - BAR - 3, length, BAR)

    def scroll_to_thumb(self, x: float) -> bool:
        """Scrolls so that the handle begins at `x`."""
        slack = self.inner - self.thumb().width()
        return slack > 0 and self.scroll((x - self.padding) / slack * self.furthest)

    def show(self, start: int, end: int) -> None:
        """Scrolls so far that a place in the text is seen."""
        for box in self.boxes(start, end)[:1]:
            if box.left() < self.padding or box.right() > self.padding + self.inner:
                self.scroll(self.offset + box.left() - self.padding - self.inner / 3)
