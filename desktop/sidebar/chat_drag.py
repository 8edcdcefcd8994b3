"""Chats that are dragged from one part of the list to another."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress

from PySide6.QtCore import QMimeData, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QPainter,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QAbstractItemView, QWidget

from desktop.platform.theme import Theme, scaled, text_font
from desktop.sidebar.chat_list_model import CHATS_MIME, ChatListModel, ChatListRole
from desktop.sidebar.chat_row_delegate import ROW, ChatRowDelegate
from desktop.sidebar.chat_sections import ArchiveRow, FolderRow, Row, Section
from desktop.sidebar.fixed_height_list_view import FixedHeightListView
from desktop.sidebar.strings import chat_count
from desktop.store.records import Chat
from desktop.widgets.row_list import Index

HEIGHT, WIDEST, PADDING = 30, 220, 12


class ChatsDragView(FixedHeightListView):
    """A list of chats, of which those that are chosen can be dragged to another part. Ids are given as tuples."""

    pin_requested = Signal(object, bool)
    move_requested = Signal(object, str)
    """To that folder, "" for none."""
    folder_requested = Signal(object)
    """A new one, with these chats."""
    archive_requested = Signal(object, bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(scaled(ROW), parent)
        self._theme = theme
        self._rows = ChatRowDelegate(theme, self)
        self.setItemDelegate(self._rows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setAcceptDrops(True)

    @property
    def chats(self) -> ChatListModel:
        model = self.model()
        assert isinstance(model, ChatListModel)
        return model

    def selected_chats(self) -> list[Chat]:
        """In the order in which they stand."""
        return [chat for first, last in self._chosen_rows() for chat in self.chats.chats_in_rows(first, last)]

    def startDrag(self, actions: Qt.DropAction) -> None:
        if chats := self.selected_chats():
            self._drag_of(chats).exec(Qt.DropAction.MoveAction)

    def _drag_of(self, chats: Sequence[Chat]) -> QDrag:
        drag = QDrag(self)
        drag.setMimeData(self.chats.mimeData([self.chats.index_of(chat.id) for chat in chats]))
        words = chats[0].title if len(chats) == 1 else chat_count(len(chats))
        drag.setPixmap(drag_pixmap(self._theme, words, self.devicePixelRatioF()))
        return drag

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dragged(event.mimeData()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        super().dragMoveEvent(event)  # scrolls at the edges
        index = self.indexAt(event.position().toPoint())
        self._set_drop_target(self._section_index(index) if index.isValid() else QModelIndex())
        event.setAccepted(index.isValid() and bool(dragged(event.mimeData())))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self._set_drop_target(QModelIndex())

    def dropEvent(self, event: QDropEvent) -> None:
        chat_ids, index = dragged(event.mimeData()), self.indexAt(event.position().toPoint())
        self._set_drop_target(QModelIndex())
        self.stopAutoScroll()
        self.setState(QAbstractItemView.State.NoState)
        if not (chat_ids and index.isValid()):
            return
        event.acceptProposedAction()
        match section_of(self.chats[index.row()], {folder.id for folder in self.chats.folders}):
            case Section.PINNED:
                self.pin_requested.emit(chat_ids, True)
            case Section.ARCHIVE:
                self.archive_requested.emit(chat_ids, True)
            case Section.FOLDERS:
                self.folder_requested.emit(chat_ids)
            case str() as folder_id:
                self.move_requested.emit(chat_ids, folder_id)

    def _set_drop_target(self, index: QModelIndex) -> None:
        if self._rows.target != index:
            self._rows.target = QPersistentModelIndex(index)
            self.viewport().update()

    def _section_index(self, index: QModelIndex) -> QModelIndex:
        """The row that says where something that is dropped at this one goes."""
        chat = chat_at(index)
        if chat is None:
            return index
        if index.data(ChatListRole.NESTED) and not chat.archived:
            return self.chats.index_of_folder(chat.folder_id)
        above = bisect_right(self._others, index.row()) - 1
        return self.chats.index(self._others[above] if above >= 0 else 0)

    def _chosen_rows(self) -> list[tuple[int, int]]:
        """The first and the last row of each run."""
        selection = self.selectionModel().selection()
        return sorted((selection.at(n).top(), selection.at(n).bottom()) for n in range(selection.count()))


def chat_at(index: Index) -> Chat | None:
    found = index.data(ChatListRole.CHAT) if index.isValid() else None
    return found if isinstance(found, Chat) else None


def dragged(data: QMimeData) -> tuple[str, ...]:
    """The ids of the chats that are dragged; none where it is something else."""
    with suppress(ValueError, TypeError):
        return tuple(map(str, json.loads(bytes(data.data(CHATS_MIME).data()) or b"[]")))
    return ()


def section_of(row: Row, folder_ids: set[str]) -> Section | str:
    """The part of the list that a row belongs to: its own heading, or for a chat the folder's id, the archive, the
    pinned, or "" for the days."""
    match row:
        case Chat(archived=True):
            return Section.ARCHIVE
        case Chat(pinned=True):
            return Section.PINNED
        case Chat(folder_id=folder_id):
            return folder_id if folder_id in folder_ids else ""
        case FolderRow(folder=folder):
            return folder.id
        case ArchiveRow():
            return Section.ARCHIVE
        case Section.PINNED | Section.FOLDERS:
            return row
    return ""


def drag_pixmap(theme: Theme, words: str, scale: float) -> QPixmap:
    """What is seen under the pointer: a slip of paper with these words."""
    font = text_font(13)
    probe = QPixmap(1, 1)
    painter = QPainter(probe)
    painter.setFont(font)
    words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, WIDEST)
    size = QSize(painter.fontMetrics().horizontalAdvance(words) + 2 * PADDING, HEIGHT)
    painter.end()
    pixmap = QPixmap(size * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.colour("accent"), 1))
    painter.setBrush(theme.colour("surface"))
    box = QRectF(0.5, 0.5, size.width() - 1, size.height() - 1)
    painter.drawRoundedRect(box, 8, 8)
    painter.setFont(font)
    painter.setPen(theme.colour("text"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
    painter.end()
    return pixmap
