"""The base class of delegates that paint the rows of a card: rows of one height, text in the theme's colours, clickable
icons."""

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
    """Paints the rows of a `KeyedList`. A subclass sets `height` and implements `paint_row`."""

    height: int
    """The height of a row in pixels, at the default text size."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.mouse_pos = QPoint(-1, -1)
        """Position of the mouse in the list's viewport; (-1, -1) if it is outside."""
        self.width = 0
        """Width of the list's viewport in pixels."""

    @property
    def row_height(self) -> int:
        """The height of each row in pixels, at the current text size and width."""
        return scaled(self.height)

    def paint_row(self, painter: QPainter, box: QRect, row: Row, *, is_first: bool, has_focus: bool) -> None:
        """Paint a row. The caller restores the state of the painter."""
        raise NotImplementedError

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, self.row_height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(RowRole.ROW)
        if row is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        has_focus = bool(option.state & QStyle.StateFlag.State_HasFocus)
        self.paint_row(painter, option.rect, row, is_first=index.row() == 0, has_focus=has_focus)
        painter.restore()

    def _draw_text(
        self,
        painter: QPainter,
        rect: QRect,
        text: str,
        colour: str,
        pixels: int = 13,
        weight: QFont.Weight = QFont.Weight.Normal,
    ) -> int:
        """Draw the text on one line, elided to `rect`, and return its width."""
        painter.setFont(text_font(pixels, weight))
        painter.setPen(self._theme.colour(colour))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter), isolated(shown))
        return painter.fontMetrics().horizontalAdvance(shown)

    def _paint_icon(self, painter: QPainter, rect: QRect, icon: str, opacity: float = 1.0) -> None:
        if rect.contains(self.mouse_pos):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("hover"))
            painter.drawRoundedRect(QRectF(rect), 7, 7)
        scale = painter.device().devicePixelRatioF() if painter.device() is not None else 1.0
        painter.setOpacity(opacity)
        painter.drawPixmap(rect.center() - QPoint(7, 7), self._theme.pixmap(icon, "muted", ICON, scale))
        painter.setOpacity(1.0)
