"""How a row of the sidebar's list is drawn and edited."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop.chat.chat_list import ChatRole
from desktop.direction import isolated, mirrored
from desktop.theme import Theme, scaled, text_font

Index = QModelIndex | QPersistentModelIndex

ROW, HEADING, FIRST_HEADING = 32, 38, 28
PADDING = 10


class ChatRows(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.marks_current = True
        """False while another page than the chat's is shown."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        if index.data(ChatRole.SECTION) is None:
            return QSize(0, scaled(ROW))
        return QSize(0, scaled(HEADING if index.row() else FIRST_HEADING))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box: QRect = option.rect
        if index.data(ChatRole.SECTION) is not None:
            self._paint_heading(painter, box, str(index.data()))
        else:
            self._paint_chat(painter, box, option, index)
        painter.restore()

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(option.rect)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Once: a row that changes while its title is being edited must not take back what was typed."""
        if not editor.property("filled"):
            editor.setProperty("filled", True)
            super().setEditorData(editor, index)

    def _paint_heading(self, painter: QPainter, box: QRect, text: str) -> None:
        font = text_font(11, QFont.Weight.DemiBold)
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0.4)
        painter.setFont(font)
        painter.setPen(self._theme.colour("muted"))
        low = box.adjusted(PADDING, 0, -PADDING, -7)
        painter.drawText(low, int(Qt.AlignmentFlag.AlignBottom), text.upper())

    def _paint_chat(self, painter: QPainter, box: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        current = self.marks_current and bool(index.data(ChatRole.CURRENT))
        live = bool(index.data(ChatRole.LIVE))
        state = option.state
        if current or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("soft" if current else "hover"))
            painter.drawRoundedRect(QRectF(box), 7, 7)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(self._theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)
        text = mirrored(box.adjusted(PADDING, 0, -PADDING - (14 if live else 0), 0), box)
        painter.setFont(text_font(13, QFont.Weight.DemiBold if current else QFont.Weight.Normal))
        painter.setPen(self._theme.colour("accent" if current else "text"))
        title = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter), isolated(title))
        if live:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("accent"))
            dot = QRectF(box.right() - PADDING - 5, box.center().y() - 2.5, 6, 6)
            painter.drawEllipse(mirrored(dot, QRectF(box)))
