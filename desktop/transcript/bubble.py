"""What the person wrote, in its bubble at the right."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPainterPath

from desktop.render.blocks import Block
from desktop.transcript.item import MessageItem, Place
from desktop.transcript.segment import Segment

PADDING_X = 14
PADDING_ABOVE, PADDING_BELOW = 8, 12
"""A line's letters stand low in it: this looks even."""
WIDEST = 0.82
"""Of the reading column."""


class BubbleItem(MessageItem):
    """A message of the person: words as they were typed, no Markdown."""

    space_above = 24

    @property
    def height(self) -> int:
        last = self.segments[-1]
        return last.top + last.height + PADDING_BELOW

    @property
    def has_actions(self) -> bool:
        return False

    def is_text(self, point: QPointF) -> bool:
        return self._box().contains(point)

    def paint(self, painter: QPainter, seen: QRectF, selection: tuple[Place, Place] | None, waiting: str) -> None:
        box = self._box()
        shape, corner = QPainterPath(), QPainterPath()
        shape.addRoundedRect(box, 14, 14)
        corner.addRoundedRect(QRectF(box.right() - 20, box.bottom() - 20, 20, 20), 4, 4)
        painter.fillPath(shape.united(corner), self._theme.colour("user"))
        self._paint_segments(painter, seen, selection)

    def _blocks(self) -> Sequence[Block]:
        return [Block("text", f'<p style="white-space: pre-wrap">{escape(self.message.text)}</p>')]

    def _segment_width(self) -> int:
        return int(self.width * WIDEST) - 2 * PADDING_X

    def _arrange(self) -> None:
        for segment in self.segments:
            segment.top = PADDING_ABOVE

    def _corner(self, segment: Segment) -> QPointF:
        return QPointF(self._box().left() + PADDING_X, segment.top)

    def _box(self) -> QRectF:
        text = self.segments[0].document
        width = min(text.idealWidth(), text.textWidth()) + 2 * PADDING_X
        return QRectF(self.width - width, 0, width, self.height)
