"""A block of code, drawn as a card with the language in its title bar. Long lines are scrolled horizontally, not
wrapped."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QTextDocument, QTextOption

from desktop.platform.theme import code_font, text_font
from desktop.transcript.horizontal_scroll import ScrollableSegment
from desktop.transcript.segment import fill_rounded, new_document

HEAD_HEIGHT = 32
PADDING = 12
ABSOLUTE_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute
"""Code is left-to-right in every language of the window."""


class CodeBlock(ScrollableSegment):
    """The layout of a code block. GUI thread only."""

    padding = PADDING

    @property
    def text_origin(self) -> QPointF:
        return QPointF(PADDING - self.offset, HEAD_HEIGHT + PADDING)

    @property
    def content_width(self) -> float:
        return float(self.document.idealWidth())

    @property
    def _font(self) -> QFont:
        return code_font(13)

    def _new_document(self) -> QTextDocument:
        document = new_document(self._theme, self._font)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.NoWrap)
        document.setDefaultTextOption(option)
        return document

    def _lay_out(self) -> None:
        self.scroll_to(self.offset)
        self.height = round(HEAD_HEIGHT + 2 * PADDING + self.document.size().height())

    def paint(
        self,
        painter: QPainter,
        area: QRectF,
        marks: Sequence[tuple[int, int, str]],
        underlined: tuple[int, int] | None = None,
    ) -> None:
        self._paint_card(painter)
        painter.save()
        code_area = QRectF(1, HEAD_HEIGHT, self.width - 2, self.height - HEAD_HEIGHT)
        painter.setClipRect(code_area, Qt.ClipOperation.IntersectClip)
        super().paint(painter, area, marks, underlined)
        painter.restore()
        self.paint_scroll_bar(painter)

    def _paint_card(self, painter: QPainter) -> None:
        line = self._theme.colour("line")
        fill_rounded(painter, QRectF(0.5, 0.5, self.width - 1, self.height - 1), 10, self._theme.colour("code"), line)
        painter.fillRect(QRectF(1, HEAD_HEIGHT, self.width - 2, 1), line)
        painter.setPen(self._theme.colour("muted"))
        painter.setFont(text_font(12))
        label = QRectF(PADDING, 0, self.width - 160, HEAD_HEIGHT)
        painter.drawText(label, Qt.AlignmentFlag.AlignVCenter | ABSOLUTE_LEFT, self.block.language)
