"""The layout of a user message: a bubble at the right, with the attached files above its text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QPainter, QPainterPath

from desktop.platform.bidi import is_mirrored
from desktop.platform.number_format import whole
from desktop.render.blocks import Block
from desktop.render.long_text import EXCERPT_LENGTH
from desktop.render.user_markdown import user_message_blocks
from desktop.store.records import Attachment
from desktop.transcript.message_item import ACTIONS_HEIGHT, MessageItem
from desktop.transcript.segment import Segment
from desktop.transcript.text_positions import TextSpan

PADDING_X = 14
PADDING_ABOVE, PADDING_BELOW = 8, 12
"""The space in pixels above and below the text. The values differ because the glyphs of a line are below its middle."""
MAX_WIDTH_SHARE = 0.82
"""The greatest width of a bubble, as a share of the width of the column."""
SEGMENT_GAP = 6
RADIUS, POINTED_RADIUS, CORNER_SIZE = 14, 4, 20
ICON_SIZE = 14
ICON_SPACE = "&nbsp;" * 5


class UserMessageItem(MessageItem):
    """The layout of a user message. Only code, tables, formulas, links and emphasis are formatted; all other text is
    shown as typed. GUI thread only."""

    space_above = 24
    initial_length = EXCERPT_LENGTH // 4

    @property
    def height(self) -> int:
        return self._bubble_height + (ACTIONS_HEIGHT if self.has_actions else 0)

    @property
    def actions_box(self) -> QRect:
        return QRect(0, self._bubble_height + 2, self.width, ACTIONS_HEIGHT)

    def is_text(self, point: QPointF) -> bool:
        return self._box().contains(point)

    def paint(self, painter: QPainter, area: QRectF, selection: TextSpan | None) -> None:
        box = self._box()
        shape, corner = QPainterPath(), QPainterPath()
        shape.addRoundedRect(box, RADIUS, RADIUS)
        x = box.left() if is_mirrored() else box.right() - CORNER_SIZE
        corner_box = QRectF(x, box.bottom() - CORNER_SIZE, CORNER_SIZE, CORNER_SIZE)
        corner.addRoundedRect(corner_box, POINTED_RADIUS, POINTED_RADIUS)
        painter.fillPath(shape.united(corner), self._theme.colour("user"))
        self._paint_segments(painter, area, selection)
        for segment, file in zip(self.segments, self.message.attachments, strict=False):
            icon = self._theme.pixmap(_icon_of(file), "muted", ICON_SIZE, painter.device().devicePixelRatioF())
            painter.drawPixmap(self._corner(segment) + QPointF(0, 5), icon)

    def texts(self) -> list[str]:
        n_files = len(self.message.attachments)
        return [
            "" if number < n_files else segment.document.toPlainText() for number, segment in enumerate(self.segments)
        ]

    @property
    def _bubble_height(self) -> int:
        last = self.segments[-1]
        return last.top + last.height + PADDING_BELOW

    def _read_blocks(self) -> Sequence[Block]:
        files = [Block("text", _file_html(each)) for each in self.message.attachments]
        return [*files, *user_message_blocks(self._shown_text())] if self.message.text or not files else files

    def _segment_width(self) -> int:
        return int(self.width * MAX_WIDTH_SHARE) - 2 * PADDING_X

    def _arrange(self) -> None:
        top = PADDING_ABOVE
        for segment in self.segments:
            top -= SEGMENT_GAP if segment.block.joiner is not None else 0
            segment.top = top
            top += segment.height + SEGMENT_GAP

    def _corner(self, segment: Segment) -> QPointF:
        box = self._box()
        # Right-to-left text is aligned to the right end of the width that the document may take.
        is_right_aligned = segment.is_rtl and not segment.fills_width
        x = box.right() - PADDING_X - segment.available_width if is_right_aligned else box.left() + PADDING_X
        return QPointF(x, segment.top)

    def _box(self) -> QRectF:
        width = max(segment.used_width for segment in self.segments) + 2 * PADDING_X
        return QRectF(0 if is_mirrored() else self.width - width, 0, width, self._bubble_height)


def _file_html(file: Attachment) -> str:
    tokens = f" · {whole(file.n_tokens)}" if file.n_tokens else ""
    return f'<p>{ICON_SPACE}<b>{escape(file.name)}</b><span class="c">{tokens}</span></p>'


def _icon_of(file: Attachment) -> str:
    return {"code": "file-code", "csv": "table"}.get(file.kind, "file-text")
