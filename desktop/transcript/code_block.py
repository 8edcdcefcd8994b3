"""A card of code: its language above it, and lines that are never broken but scrolled sideways."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QTextDocument, QTextOption

from desktop.platform.theme import code_font, text_font
from desktop.transcript.scrollable_segment import BAR, ScrollableSegment
from desktop.transcript.segment import new_document, rounded

CODE_HEAD = 32
CODE_PADDING = 12
ABSOLUTE_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute
"""Code runs from left to right, whatever the language of the window."""


class CodeBlock(ScrollableSegment):
    """GUI thread only."""

    padding = CODE_PADDING

    @property
    def inset(self) -> QPointF:
        return QPointF(CODE_PADDING - self.offset, CODE_HEAD + CODE_PADDING)

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
        self.scroll(self.offset)
        self.height = round(CODE_HEAD + 2 * CODE_PADDING + self.document.size().height())

    def paint(
        self,
        painter: QPainter,
        seen: QRectF,
        marks: Sequence[tuple[int, int, str]],
        underlined: tuple[int, int] | None = None,
    ) -> None:
        self._paint_card(painter)
        painter.save()
        card = QRectF(1, CODE_HEAD, self.width - 2, self.height - CODE_HEAD)
        painter.setClipRect(card, Qt.ClipOperation.IntersectClip)
        super().paint(painter, seen, marks, underlined)
        painter.restore()
        if (thumb := self.thumb()).width():
            rounded(painter, thumb, BAR / 2, self._theme.colour("scroll"))

    def _paint_card(self, painter: QPainter) -> None:
        line = self._theme.colour("line")
        rounded(painter, QRectF(0.5, 0.5, self.width - 1, self.height - 1), 10, self._theme.colour("code"), line)
        painter.fillRect(QRectF(1, CODE_HEAD, self.width - 2, 1), line)
        painter.setPen(self._theme.colour("muted"))
        painter.setFont(text_font(12))
        label = QRectF(CODE_PADDING, 0, self.width - 160, CODE_HEAD)
        painter.drawText(label, Qt.AlignmentFlag.AlignVCenter | ABSOLUTE_LEFT, self.block.language)
