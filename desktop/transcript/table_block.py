"""A table. Its columns are wide enough for their longest words; a table that is wider than the page scrolls
horizontally."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QTextBlock, QTextCursor, QTextTable

from desktop.platform.theme import scaled
from desktop.transcript.horizontal_scroll import BAR_HEIGHT, ScrollableSegment

MIN_COLUMN_WIDTH = 64
"""The smallest width of a column in pixels, unless its text needs less."""
MAX_WORD_WIDTH = 180
"""A word up to this width, in pixels, is not broken."""
COLUMN_PADDING = 22.0
"""The padding and lines of a column in pixels."""
SCROLL_BAR_SPACE = BAR_HEIGHT + 6
"""The space in pixels for the scroll bar below a table that scrolls."""
MAX_MEASURED_CELLS = 600
"""The number of cells that are measured to find the widths of the columns."""

_ROW = re.compile("<tr>(.*?)</tr>")
_CELL = re.compile("<t[dh] .*?</t[dh]>")


class TableBlock(ScrollableSegment):
    """The layout of a table. GUI thread only."""

    @property
    def text_origin(self) -> QPointF:
        return QPointF(
            max(0.0, self.width - self.content_width) if self.is_rtl and not self.offset else -self.offset, 0
        )

    @property
    def is_rtl(self) -> bool:
        return ' dir="rtl"' in self._html[: self._html.find(">")]

    @property
    def content_width(self) -> float:
        return float(self.document.idealWidth())

    @property
    def used_width(self) -> float:
        return min(float(self.width), self.content_width)

    def _markup(self) -> str:
        """The HTML of the table. Qt always draws the first cell of a row at the left, so the cells of right-to-left
        tables are reversed."""
        return _ROW.sub(_reversed, self._html) if self.is_rtl else self._html

    def text_between(self, start: int, end: int) -> str:
        table = _table(self)
        if table is None or not self.is_rtl:
            return super().text_between(start, end)
        parts: list[str] = []
        for row in range(table.rows()):
            for column in reversed(range(table.columns())):
                cell = table.cellAt(row, column)
                first, last = max(start, cell.firstPosition()), min(end, cell.lastPosition())
                parts += [super().text_between(first, last)] if first < last else []
        return "\n".join(parts)

    def _lay_out(self) -> None:
        self.document.setTextWidth(max(float(self.width), _min_width(_table(self))))
        self._find_code_spans()
        self.height = self._measured_height()
        self.scroll_to(self.offset)

    def _measured_height(self) -> int:
        return super()._measured_height() + (SCROLL_BAR_SPACE if self.max_offset > 0 else 0)

    def paint(
        self,
        painter: QPainter,
        area: QRectF,
        marks: Sequence[tuple[int, int, str]],
        underlined: tuple[int, int] | None = None,
    ) -> None:
        painter.save()
        painter.setClipRect(QRectF(0, 0, self.width, self.height), Qt.ClipOperation.IntersectClip)
        super().paint(painter, area, marks, underlined)
        painter.restore()
        self.paint_scroll_bar(painter)


def _reversed(row: re.Match[str]) -> str:
    return "<tr>" + "".join(reversed(_CELL.findall(row[1]))) + "</tr>"


def _table(segment: TableBlock) -> QTextTable | None:
    cursor = QTextCursor(segment.document)
    cursor.movePosition(QTextCursor.MoveOperation.NextBlock)
    table = cursor.currentTable()
    return table if isinstance(table, QTextTable) else None


def _min_width(table: QTextTable | None) -> float:
    """The sum of the columns' minimum widths."""
    if table is None:
        return 0.0
    widths = [0.0] * table.columns()
    for column, width in islice(_cell_widths(table), MAX_MEASURED_CELLS):
        widths[column] = max(widths[column], width)
    return sum(widths) + COLUMN_PADDING * len(widths)


def _cell_widths(table: QTextTable) -> Iterator[tuple[int, float]]:
    """The column and the smallest width of each cell."""
    metrics = QFontMetricsF(table.document().defaultFont())
    for row in range(table.rows()):
        for column in range(table.columns()):
            yield column, _min_cell_width(table.cellAt(row, column).firstCursorPosition().block(), metrics)


def _min_cell_width(block: QTextBlock, metrics: QFontMetricsF) -> float:
    """The smallest width of a cell: enough for its longest word or image, and for its whole text up to
    `MIN_COLUMN_WIDTH`."""
    widest = whole = 0.0
    parts = block.begin()
    while not parts.atEnd():
        fragment = parts.fragment()
        style = fragment.charFormat()
        if style.isImageFormat():
            widest = max(widest, style.toImageFormat().width())
        else:
            words = fragment.text()[:MAX_WORD_WIDTH].split() or [""]
            widest = max(
                widest, *(min(metrics.horizontalAdvance(word) * 1.1, scaled(MAX_WORD_WIDTH)) for word in words)
            )
        whole += 0.0 if style.isImageFormat() else metrics.horizontalAdvance(fragment.text()[:MAX_WORD_WIDTH])
        parts += 1
    return max(widest, min(whole, scaled(MIN_COLUMN_WIDTH)))
