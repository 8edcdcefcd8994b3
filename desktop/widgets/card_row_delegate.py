"""How the rows of a card are drawn: one height, text in the theme's colours, icons that can be clicked."""

from __future__ import annotations

from typing import Generic

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop.platform.bidi import isolated
from desktop.platform.theme import Theme, scaled, text_font
from desktop.widgets.row_list import Index, Row, RowRole

ICON = 16


class CardRowDelegate(QStyledItemDelegate, Generic[Row]):
    """Draws the rows of a `KeyedList`. A subclass says how high they are, and paints one."""

    height: int
    """Before the text size of the settings."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.pointed = QPoint(-1, -1)
        """Where the mouse is in the list."""

    def paint_row(self, painter: QPainter, box: QRect, row: Row, *, is_first: bool, has_focus: bool) -> None:
        """What it does to the painter is undone afterwards."""
        raise NotImplementedError

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, scaled(self.height))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(RowRole.ROW)
        if row is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        has_focus = bool(option.state & QStyle.StateFlag.State_HasFocus)
        self.paint_row(painter, option.rect, row, is_first=index.row() == 0, has_focus=has_focus)
        painter.restore()

    def _write(
        self,
        painter: QPainter,
        place: QRect,
        text: str,
        colour: str,
        pixels: int = 13,
        weight: QFont.Weight = QFont.Weight.Normal,
    ) -> int:
        """How wide it became."""
        painter.setFont(text_font(pixels, weight))
        painter.setPen(self._theme.colour(colour))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), isolated(shown))
        return painter.fontMetrics().horizontalAdvance(shown)

    def _paint_icon(self, painter: QPainter, place: QRect, icon: str, opacity: float = 1.0) -> None:
        if place.contains(self.pointed):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("hover"))
            painter.drawRoundedRect(QRectF(place), 7, 7)
        scale = painter.device().devicePixelRatioF() if painter.device() is not None else 1.0
        painter.setOpacity(opacity)
        painter.drawPixmap(place.center() - QPoint(7, 7), self._theme.pixmap(icon, "muted", ICON, scale))
        painter.setOpacity(1.0)
