"""The sidebar's list of chats."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QMenu, QWidget

from desktop.chat.chat_list import ChatRole
from desktop.store.records import Chat
from desktop.theme import Theme
from desktop.widgets.chat_rows import ChatRows


class ChatsView(QListView):
    """Enter or a click opens, F2 or a double click renames, Delete deletes; the menu offers the same."""

    chosen = Signal(str)
    pin_asked = Signal(str, bool)
    delete_asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName(self.tr("Chats"))
        self._rows = ChatRows(theme, self)
        self.setItemDelegate(self._rows)
        self.setMouseTracking(True)
        self.setUniformItemSizes(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self.clicked.connect(self._choose)

    def mark_current(self, marked: bool) -> None:
        """Whether the open chat is where one is; on another page it is not."""
        self._rows.marks_current = marked
        self.viewport().update()

    def rename(self, index: QModelIndex) -> None:
        """Opens the title for editing."""
        if index.isValid():
            self.scrollTo(index)
            self.setCurrentIndex(index)
            self.edit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        editing = self.state() == QAbstractItemView.State.EditingState
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not editing:
            self._choose(index)
        elif event.key() == Qt.Key.Key_Delete and (chat := _chat(index)) is not None:
            self.delete_asked.emit(chat.id)
        else:
            super().keyPressEvent(event)

    def _choose(self, index: QModelIndex) -> None:
        if (chat := _chat(index)) is not None:
            self.chosen.emit(chat.id)

    def _open_menu(self, at: QPoint) -> None:
        index = self.indexAt(at)
        if (chat := _chat(index)) is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self._theme.icon("pencil", "muted"), self.tr("Rename"), lambda: self.rename(index))
        pin = ("pin-off", self.tr("Unpin")) if chat.pinned else ("pin", self.tr("Pin"))
        menu.addAction(self._theme.icon(pin[0], "muted"), pin[1], lambda: self.pin_asked.emit(chat.id, not chat.pinned))
        menu.addAction(self._theme.icon("trash-2", "muted"), self.tr("Delete"), lambda: self.delete_asked.emit(chat.id))
        menu.popup(self.viewport().mapToGlobal(at))


def _chat(index: QModelIndex) -> Chat | None:
    found = index.data(ChatRole.CHAT) if index.isValid() else None
    return found if isinstance(found, Chat) else None
