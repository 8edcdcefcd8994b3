"""The command palette: a search field over the window, with a list of the actions and chats that match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsDropShadowEffect,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop.platform.bidi import isolated, mirrored
from desktop.platform.theme import Theme, text_font
from desktop.widgets.text_composition import CompositionGuard

WIDTH, MAX_HEIGHT = 560, 420
ROW = 36
GAP_ABOVE = 72


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the palette. `id` is that of an action or a chat; `message_id` is the found message of the chat, if
    any."""

    kind: Literal["action", "chat"]
    id: str
    text: str
    hint: str = ""
    message_id: str = ""


_ENTRY = Qt.ItemDataRole.UserRole


class CommandPalette(QFrame):
    """The widget of the palette, a child of the window. When `query_changed` is emitted, its owner calls `show_entries`
    with the matches. GUI thread only."""

    query_changed = Signal(str)
    chosen = Signal(object)
    """The user chose an entry. Carries the `Entry`."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme = theme
        self._window = window
        self._entries: list[Entry] = []
        self._focused_before: QWidget | None = None
        self.setObjectName("palette")
        self._field = QLineEdit(self)
        self._field.setObjectName("paletteField")
        self._field.setPlaceholderText(self.tr("Do something, or find a chat"))
        self._field.setAccessibleName(self.tr("What to do"))
        self._field.textChanged.connect(self.query_changed)
        self._field.installEventFilter(self)
        CompositionGuard(self._field)
        self._list = QListWidget(self)
        self._list.setObjectName("paletteList")
        self._list.setAccessibleName(self.tr("What there is to do"))
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setItemDelegate(_EntryDelegate(theme, self._list))
        self._list.itemClicked.connect(lambda item: self._choose(self._list.row(item)))
        self._nothing = QLabel(self.tr("No action or chat matches."), self)
        self._nothing.setObjectName("quietText")
        self._nothing.setContentsMargins(10, 0, 10, 6)
        self._nothing.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        column.addWidget(self._field)
        column.addWidget(self._list)
        column.addWidget(self._nothing)
        self._shadow = QGraphicsDropShadowEffect(self, blurRadius=32, offset=QPointF(0, 8))
        self.setGraphicsEffect(self._shadow)
        window.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        self._focused_before = self._window.focusWidget()
        self._field.clear()
        self.query_changed.emit("")
        shade = QColor(self._theme.colour("shadow"))
        shade.setAlpha(70)
        self._shadow.setColor(shade)
        self._place()
        self.show()
        self.raise_()
        self._field.setFocus()

    def close_palette(self) -> None:
        """Hides the palette and returns the focus to the widget that had it before."""
        if self.isVisible():
            self.hide()
            if self._focused_before is not None:
                self._focused_before.setFocus()

    def show_entries(self, entries: Sequence[Entry], *, is_complete: bool = False) -> None:
        """Replaces the rows. `is_complete` means that the search has ended, so that no more entries follow for this
        query."""
        self._entries = list(entries)
        self._nothing.setVisible(is_complete and not entries)
        self._list.clear()
        for entry in self._entries:
            item = QListWidgetItem(entry.text)
            item.setData(_ENTRY, entry)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.text} {entry.hint}".strip())
            self._list.addItem(item)
        self._list.setCurrentRow(0)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window and event.type() == QEvent.Type.Resize:
            self._place()
        elif watched is self._field and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                return self._pressed(event.key())
        elif watched is self._field and event.type() == QEvent.Type.FocusOut:
            self.hide()
        return super().eventFilter(watched, event)

    def _pressed(self, key: int) -> bool:
        match key:
            case Qt.Key.Key_Down | Qt.Key.Key_Up:
                step = 1 if key == Qt.Key.Key_Down else -1
                self._list.setCurrentRow((self._list.currentRow() + step) % max(1, len(self._entries)))
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._choose(self._list.currentRow())
            case Qt.Key.Key_Escape:
                self.close_palette()
            case _:
                return False
        return True

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._entries):
            entry = self._entries[row]
            self.close_palette()
            self.chosen.emit(entry)

    def _place(self) -> None:
        width = min(WIDTH, self._window.width() - 48)
        free = min(MAX_HEIGHT, self._window.height() - GAP_ABOVE - 24)
        rows = min(len(self._entries) * ROW, free - 64)
        self._list.setVisible(bool(self._entries))
        self._list.setFixedHeight(max(0, rows))
        self.setFixedWidth(width)
        self.adjustSize()
        self.move((self._window.width() - width) // 2, min(GAP_ABOVE, (self._window.height() - self.height()) // 3))


class _EntryDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry: Entry = index.data(_ENTRY)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        current = bool(option.state & QStyle.StateFlag.State_Selected)
        if current:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("soft"))
            painter.drawRoundedRect(QRectF(option.rect).adjusted(0, 1, 0, -1), 7, 7)
        box: QRect = option.rect.adjusted(10, 0, -12, 0)
        if entry.kind == "chat":
            icon = self._theme.pixmap("message-square", "muted", 16, painter.device().devicePixelRatioF())
            painter.drawPixmap(mirrored(QRect(box.left(), box.center().y() - 7, 16, 16), box).topLeft(), icon)
        painter.setFont(text_font(12))
        painter.setPen(self._theme.colour("muted"))
        hint = painter.fontMetrics().elidedText(entry.hint, Qt.TextElideMode.ElideRight, box.width() // 2)
        width = painter.fontMetrics().horizontalAdvance(hint)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), isolated(hint))
        painter.setFont(text_font(13))
        painter.setPen(self._theme.colour("accent" if current else "text"))
        left = mirrored(box.adjusted(26, 0, -width - 16, 0), box)
        text = painter.fontMetrics().elidedText(entry.text, Qt.TextElideMode.ElideRight, left.width())
        painter.drawText(left, int(Qt.AlignmentFlag.AlignVCenter), isolated(text))
        painter.restore()
