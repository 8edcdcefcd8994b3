"""What the person wrote, in its bubble at the right."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QPainter, QPainterPath

from desktop.platform.bidi import is_mirrored
from desktop.platform.number_format import whole
from desktop.render.blocks import Block
from desktop.render.excerpt import SHOWN
from desktop.render.user_markdown import user_message_blocks
from desktop.store.records import Attachment
from desktop.transcript.message_item import ACTIONS_HEIGHT, MessageItem
from desktop.transcript.place import SegmentPosition
from desktop.transcript.segment import Segment

PADDING_X = 14
PADDING_ABOVE, PADDING_BELOW = 8, 12
"""A line's letters stand low in it: this looks even."""
WIDEST = 0.82
"""Of the reading column."""
BETWEEN = 6
ROOM_FOR_ICON = "&nbsp;" * 5


class UserMessageItem(MessageItem):
    """A message of the person, as it was typed, with code, tables and bold shown as such; above it the files that came
    along."""

    space_above = 24
    shown_at_once = SHOWN // 4

    @property
    def height(self) -> int:
        return self._bubble_height + (ACTIONS_HEIGHT if self.has_actions else 0)

    @property
    def actions_box(self) -> QRect:
        return QRect(0, self._bubble_height + 2, self.width, ACTIONS_HEIGHT)

    def is_text(self, point: QPointF) -> bool:
        return self._box().contains(point)

    def paint(self, painter: QPainter, seen: QRectF, selection: tuple[SegmentPosition, SegmentPosition] | None) -> None:
        box = self._box()
        shape, corner = QPainterPath(), QPainterPath()
        shape.addRoundedRect(box, 14, 14)
        pointed = box.left() if is_mirrored() else box.right() - 20
        corner.addRoundedRect(QRectF(pointed, box.bottom() - 20, 20, 20), 4, 4)
        painter.fillPath(shape.united(corner), self._theme.colour("user"))
        self._paint_segments(painter, seen, selection)
        for segment, file in zip(self.segments, self.message.attachments, strict=False):
            icon = self._theme.pixmap(icon_of(file), "muted", 14, painter.device().devicePixelRatioF())
            painter.drawPixmap(self._corner(segment) + QPointF(0, 5), icon)

    def texts(self) -> list[str]:
        files = len(self.message.attachments)
        return [
            "" if number < files else segment.document.toPlainText() for number, segment in enumerate(self.segments)
        ]

    @property
    def _bubble_height(self) -> int:
        last = self.segments[-1]
        return last.top + last.height + PADDING_BELOW

    def _blocks(self) -> Sequence[Block]:
        files = [Block("text", _file_html(each)) for each in self.message.attachments]
        return [*files, *user_message_blocks(self._shown_text())] if self.message.text or not files else files

    def _segment_width(self) -> int:
        return int(self.width * WIDEST) - 2 * PADDING_X

    def _arrange(self) -> None:
        top = PADDING_ABOVE
        for segment in self.segments:
            top -= BETWEEN if segment.block.joiner is not None else 0
            segment.top = top
            top += segment.height + BETWEEN

    def _corner(self, segment: Segment) -> QPointF:
        box = self._box()
        # Words from right to left begin at the right end of all the room they have.
        from_right = segment.is_rtl and not segment.is_card
        return QPointF(box.right() - PADDING_X - segment.room if from_right else box.left() + PADDING_X, segment.top)

    def _box(self) -> QRectF:
        width = max(segment.used_width for segment in self.segments) + 2 * PADDING_X
        return QRectF(0 if is_mirrored() else self.width - width, 0, width, self._bubble_height)


def _file_html(file: Attachment) -> str:
    tokens = f" · {whole(file.n_tokens)}" if file.n_tokens else ""
    return f'<p>{ROOM_FOR_ICON}<b>{escape(file.name)}</b><span class="c">{tokens}</span></p>'


def icon_of(file: Attachment) -> str:
    return {"code": "file-code", "csv": "table"}.get(file.kind, "file-text")
