"""The list of search results, shown in place of the chat list."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QCoreApplication,
    QDateTime,
    QLocale,
    QModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop.platform.bidi import isolated, mirrored
from desktop.platform.theme import Theme, scaled, text_font
from desktop.sidebar.chat_list_view import is_typed_letter
from desktop.sidebar.search_controller import SearchResultRole, plain_text
from desktop.store.search import SearchHit, SnippetPart
from desktop.widgets.row_list import Index

translate = QCoreApplication.translate


TITLE_ROW, MESSAGE_ROW = 34, 58
PADDING = 10
N_BEFORE_MATCH = 14
"""Number of characters shown before the first match if the text is too long for the line."""


class SearchResultsView(QListView):
    """A list of search results. Enter or a click opens a result."""

    open_requested = Signal(str, str)
    """The id of the chat, and the id of the message ("" to open the chat without going to a message)."""
    up_pressed = Signal()
    """Up was pressed in the first row."""
    typed = Signal(str)
    """A character that the user typed in the list. It is appended to the search words."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._empty_text = ""
        self.setAccessibleName(self.tr("Search results"))
        self.setItemDelegate(_SearchResultDelegate(theme, self))
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.clicked.connect(self._open)

    def set_placeholder_text(self, text: str) -> None:
        self._empty_text = text
        self.viewport().update()

    def open_first(self) -> None:
        if self.model() is not None and self.model().rowCount():
            self._open(self.model().index(0, 0))

    def enter(self) -> None:
        """Takes the focus and makes the first result current."""
        if self.model() is not None and self.model().rowCount():
            self.setCurrentIndex(self.model().index(0, 0))
            self.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentIndex())
        elif event.key() == Qt.Key.Key_Up and self.currentIndex().row() == 0:
            self.up_pressed.emit()
        elif is_typed_letter(event):
            self.typed.emit(event.text())
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.model() is not None and not self.model().rowCount():
            painter = QPainter(self.viewport())
            painter.setFont(text_font(13))
            painter.setPen(self._theme.colour("muted"))
            box = self.viewport().rect().adjusted(PADDING, 12, -PADDING, 0)
            painter.drawText(box, int(Qt.TextFlag.TextWordWrap), self._empty_text)

    def _open(self, index: QModelIndex) -> None:
        hit = index.data(SearchResultRole.HIT) if index.isValid() else None
        if isinstance(hit, SearchHit):
            self.open_requested.emit(hit.chat_id, hit.message_id)


class _SearchResultDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        hit = index.data(SearchResultRole.HIT)
        return QSize(0, scaled(MESSAGE_ROW if isinstance(hit, SearchHit) and hit.message_id else TITLE_ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        hit = index.data(SearchResultRole.HIT)
        if not isinstance(hit, SearchHit):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_background(painter, option)
        box: QRect = option.rect.adjusted(PADDING, 0, -PADDING, 0)
        if hit.message_id:
            self._paint_parts(painter, QRect(box.left(), box.top() + scaled(8), box.width(), scaled(20)), hit.snippet)
            line = QRect(box.left(), box.top() + scaled(29), box.width(), scaled(18))
            self._paint_meta(painter, self._paint_archived(painter, line) if hit.archived else line, hit)
        else:
            self._paint_parts(painter, self._paint_archived(painter, box) if hit.archived else box, hit.title)
        painter.restore()

    def _paint_background(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        box = QRectF(option.rect).adjusted(0, 1, 0, -1)
        if option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("hover"))
            painter.drawRoundedRect(box, 7, 7)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(self._theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)

    def _paint_archived(self, painter: QPainter, box: QRect) -> QRect:
        """Draws the icon of archived chats at the start of a line; returns the rest of the line."""
        icon = self._theme.pixmap("archive", "muted", 14, painter.device().devicePixelRatioF())
        painter.drawPixmap(QPointF(box.left(), box.center().y() - 6), icon)
        return box.adjusted(20, 0, 0, 0)

    def _paint_parts(self, painter: QPainter, box: QRect, parts: Sequence[SnippetPart]) -> None:
        """Draws one line of text. Matches are bold and in the accent colour; the first match is always visible."""
        x = float(box.left())
        for part in shortened(parts, box.width()):
            painter.setFont(_font(part))
            painter.setPen(self._theme.colour("accent" if part.matched else "text"))
            room = box.right() - x
            metrics = painter.fontMetrics()
            text = metrics.elidedText(part.text, Qt.TextElideMode.ElideRight, int(room))
            text_box = mirrored(QRectF(x, box.top(), room, box.height()), QRectF(box))
            painter.drawText(text_box, int(Qt.AlignmentFlag.AlignVCenter), isolated(text))
            x += metrics.horizontalAdvance(part.text)
            if x >= box.right():
                break

    def _paint_meta(self, painter: QPainter, box: QRect, hit: SearchHit) -> None:
        painter.setFont(text_font(12))
        painter.setPen(self._theme.colour("muted"))
        #: Date format, see QDate.toString.
        day_format = translate("SearchResultsView", "d MMM yyyy")
        day = QLocale().toString(QDateTime.fromSecsSinceEpoch(int(hit.created_s)).date(), day_format)
        metrics = painter.fontMetrics()
        width = metrics.horizontalAdvance(day)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), isolated(day))
        title = metrics.elidedText(plain_text(hit.title), Qt.TextElideMode.ElideRight, box.width() - width - 10)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), isolated(title))


def shortened(parts: Sequence[SnippetPart], width: int) -> list[SnippetPart]:
    """Shortens the text before the first match, so that the match is visible in a line of `width` pixels."""
    first = parts[0] if parts else None
    if first is None or first.matched or len(parts) == 1 or len(first.text) <= N_BEFORE_MATCH:
        return list(parts)
    if sum(QFontMetrics(_font(part)).horizontalAdvance(part.text) for part in parts[:2]) <= width:
        return list(parts)
    kept = first.text[-N_BEFORE_MATCH:].partition(" ")[2] or first.text[-N_BEFORE_MATCH:]
    return [SnippetPart(f"…{kept}", False), *parts[1:]]


def _font(part: SnippetPart) -> QFont:
    return text_font(13, QFont.Weight.DemiBold if part.matched else QFont.Weight.Normal)
