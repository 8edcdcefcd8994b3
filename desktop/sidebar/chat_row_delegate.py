"""Paints the rows of the chat list and edits titles in place."""

from __future__ import annotations

from PySide6.QtCore import QPersistentModelIndex, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop.platform.bidi import isolated
from desktop.platform.number_format import whole
from desktop.platform.theme import Theme, scaled, text_font
from desktop.sidebar.chat_list_model import ChatListRole
from desktop.sidebar.chat_sections import ArchiveRow, FolderRow
from desktop.widgets.row_list import Index
from desktop.widgets.text_composition import CompositionGuard

ROW, HEADING, FIRST_HEADING, ARCHIVE = 32, 38, 28, 44
PADDING, INDENT = 10, 24
ICON = 16


class ChatRowDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.marks_current = True
        """Whether the open chat is highlighted; False while another page is shown."""
        self.several = False
        """Whether several chats are selected; selected rows are highlighted then."""
        self.target = QPersistentModelIndex()
        """The row on which the current drag would drop; an invalid index if there is none."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row = index.data(ChatListRole.FOLDER) or index.data(ChatListRole.ARCHIVE)
        if index.data(ChatListRole.SECTION) is not None:
            self._paint_heading(painter, option, index)
        elif isinstance(row, FolderRow | ArchiveRow):
            self._paint_folder(painter, option, index, row)
        else:
            self._paint_chat(painter, option, index)
        painter.restore()

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        inset = INDENT + 4 if index.data(ChatListRole.FOLDER) or index.data(ChatListRole.NESTED) else 0
        editor.setGeometry(_mirrored(option, option.rect.adjusted(inset, 0, 0, 0)))

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Fills the editor only once, because a change of the row during editing must not overwrite typed text."""
        if not editor.property("filled"):
            editor.setProperty("filled", True)
            super().setEditorData(editor, index)
            CompositionGuard(editor)

    def _paint_heading(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        if index == self.target:
            box = QRectF(option.rect).adjusted(0.5, option.rect.height() - 25.5, -0.5, -0.5)
            self._paint_target(painter, box)
        font = text_font(11, QFont.Weight.DemiBold)
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0.4)
        bottom = option.rect.adjusted(PADDING, 0, -PADDING, -7)
        self._write(painter, option, bottom, str(index.data()).upper(), font, "muted", Qt.AlignmentFlag.AlignBottom)

    def _paint_folder(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, row: FolderRow | ArchiveRow
    ) -> None:
        box = content_of(option.rect)
        self._paint_background(painter, option, index, box, False)
        folded = row.folder.folded if isinstance(row, FolderRow) else row.folded
        icon = ("folder" if folded else "folder-open") if isinstance(row, FolderRow) else "archive"
        self._draw_icon(painter, option, box.adjusted(PADDING, 0, 0, 0), icon, "muted")
        font = text_font(12)
        count = whole(row.n_chats) if row.n_chats else ""
        painter.setFont(font)
        width = painter.fontMetrics().horizontalAdvance(count)
        count_box = box.adjusted(box.width() - PADDING - width, 0, -PADDING, 0)
        self._write(painter, option, count_box, count, font, "muted")
        name = box.adjusted(PADDING + INDENT, 0, -PADDING - width - 8, 0)
        if index.data(ChatListRole.LIVE):
            name.adjust(0, 0, -14, 0)
            self._draw_dot(painter, option, name.right() + 9, box.center().y())
        current = self.marks_current and bool(index.data(ChatListRole.CURRENT))
        weight = QFont.Weight.DemiBold if current else QFont.Weight.Medium
        font = text_font(13, weight if isinstance(row, FolderRow) else QFont.Weight.Normal)
        self._write(painter, option, name, str(index.data()), font, "accent" if current else "text")

    def _paint_chat(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        box: QRect = option.rect
        current = self.marks_current and bool(index.data(ChatListRole.CURRENT))
        selected = self.several and bool(option.state & QStyle.StateFlag.State_Selected)
        self._paint_background(painter, option, index, box, selected if self.several else current)
        end = box.adjusted(0, 0, -PADDING, 0)
        if selected:
            self._draw_icon(
                painter, option, QRect(end.right() - 13, end.top(), 14, end.height()), "check", "accent", 14
            )
            end.adjust(0, 0, -20, 0)
        if index.data(ChatListRole.LIVE):
            self._draw_dot(painter, option, end.right() - 5, box.center().y())
            end.adjust(0, 0, -14, 0)
        font = text_font(13, QFont.Weight.DemiBold if current else QFont.Weight.Normal)
        archived = getattr(index.data(ChatListRole.CHAT), "archived", False)
        token = "accent" if current else "muted" if archived else "text"
        inset = INDENT if index.data(ChatListRole.NESTED) else 0
        self._write(painter, option, end.adjusted(PADDING + inset, 0, 0, 0), str(index.data()), font, token)

    def _paint_background(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, box: QRect, marked: bool
    ) -> None:
        if marked or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("soft" if marked else "hover"))
            painter.drawRoundedRect(QRectF(box), 7, 7)
        if index == self.target:
            self._paint_target(painter, QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(self._theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)

    def _paint_target(self, painter: QPainter, box: QRectF) -> None:
        pen = QPen(self._theme.colour("accent"), 1)
        pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(self._theme.colour("soft"))
        painter.drawRoundedRect(box, 7, 7)

    def _draw_dot(self, painter: QPainter, option: QStyleOptionViewItem, x: int, middle: int) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("accent"))
        painter.drawEllipse(QRectF(_mirrored(option, QRect(x, middle - 2, 6, 6))))

    def _draw_icon(
        self, painter: QPainter, option: QStyleOptionViewItem, box: QRect, name: str, token: str, size: int = ICON
    ) -> None:
        """Draws an icon at the start of `box`, vertically centred."""
        icon_box = _mirrored(option, QRect(box.left(), box.center().y() - size // 2 + 1, size, size))
        pixmap = self._theme.pixmap(name, token, size, painter.device().devicePixelRatioF())
        painter.drawPixmap(QPointF(icon_box.topLeft()), pixmap)

    def _write(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        box: QRect,
        text: str,
        font: QFont,
        token: str,
        height: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignVCenter,
    ) -> None:
        painter.setFont(font)
        painter.setPen(self._theme.colour(token))
        line = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        side = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeft)
        painter.drawText(_mirrored(option, box), int(side | height), isolated(line))


def content_of(rect: QRect) -> QRect:
    """Returns the part of a row in which its text is drawn: the lower part, as high as a usual row."""
    return rect.adjusted(0, rect.height() - scaled(ROW), 0, 0)


def _mirrored(option: QStyleOptionViewItem, box: QRect) -> QRect:
    """Returns `box`, mirrored within the row if the layout is right-to-left."""
    return QStyle.visualRect(option.direction, option.rect, box)
