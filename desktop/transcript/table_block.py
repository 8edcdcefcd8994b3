"""A table: its columns have room for words, and where the page has not, it is scrolled sideways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QTextBlock, QTextCursor, QTextTable

from desktop.platform.theme import scaled
from desktop.transcript.scrollable_segment import BAR, ScrollableSegment
from desktop.transcript.segment import rounded

LEAST = 64
"""Pixels that a column's words have at least, where they need as much."""
LONGEST_WORD = 180
"""Pixels up to which a word is not broken."""
AROUND = 22.0
"""Pixels of padding and lines in each column."""
BELOW = BAR + 6
"""Pixels below a table that is scrolled, for the handle."""
MEASURED = 600
"""Cells that are looked at for the widths."""

_ROW = re.compile("<tr>(.*?)</tr>")
_CELL = re.compile("<t[dh] .*?</t[dh]>")


class TableBlock(ScrollableSegment):
    """GUI thread only."""

    @property
    def inset(self) -> QPointF:
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
        """Qt draws the first cell at the left, whatever the table's direction: so the last one comes first there."""
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
        self.document.setTextWidth(max(float(self.width), _least_width(_table(self))))
        self._find_chips()
        self.height = self._measured()
        self.scroll(self.offset)

    def _measured(self) -> int:
        return super()._measured() + (BELOW if self.furthest > 0 else 0)

    def paint(
        self,
        painter: QPainter,
        seen: QRectF,
        marks: Sequence[tuple[int, int, str]],
        underlined: tuple[int, int] | None = None,
    ) -> None:
        painter.save()
        painter.setClipRect(QRectF(0, 0, self.width, self.height), Qt.ClipOperation.IntersectClip)
        super().paint(painter, seen, marks, underlined)
        painter.restore()
        if (thumb := self.thumb()).width():
            rounded(painter, thumb, BAR / 2, self._theme.colour("scroll"))


def _reversed(row: re.Match[str]) -> str:
    return "<tr>" + "".join(reversed(_CELL.findall(row[1]))) + "</tr>"


def _table(segment: TableBlock) -> QTextTable | None:
    cursor = QTextCursor(segment.document)
    cursor.movePosition(QTextCursor.MoveOperation.NextBlock)
    table = cursor.currentTable()
    return table if isinstance(table, QTextTable) else None


def _least_width(table: QTextTable | None) -> float:
    """What all columns need together."""
    if table is None:
        return 0.0
    least = [0.0] * table.columns()
    for column, width in islice(_texts(table), MEASURED):
        least[column] = max(least[column], width)
    return sum(least) + AROUND * len(least)


def _texts(table: QTextTable) -> Iterator[tuple[int, float]]:
    """Each cell's column, and the width that its words need at least."""
    metrics = QFontMetricsF(table.document().defaultFont())
    for row in range(table.rows()):
        for column in range(table.columns()):
            yield column, _least_of(table.cellAt(row, column).firstCursorPosition().block(), metrics)


def _least_of(block: QTextBlock, metrics: QFontMetricsF) -> float:
    widest = whole = 0.0
    parts = block.begin()
    while not parts.atEnd():
        fragment = parts.fragment()
        style = fragment.charFormat()
        if style.isImageFormat():
            widest = max(widest, style.toImageFormat().width())
        else:
            words = fragment.text()[:LONGEST_WORD].split() or [""]
            widest = max(widest, *(min(metrics.horizontalAdvance(word) * 1.1, scaled(LONGEST_WORD)) for word in words))
        whole += 0.0 if style.isImageFormat() else metrics.horizontalAdvance(fragment.text()[:LONGEST_WORD])
        parts += 1
    return max(widest, min(whole, scaled(LEAST)))
