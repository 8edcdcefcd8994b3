"""The chats of the sidebar as a Qt list: headings and chats in one column."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from difflib import SequenceMatcher
from enum import IntEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktop.chat.sections import Section, arranged
from desktop.store.records import Chat

Index = QModelIndex | QPersistentModelIndex


class ChatRole(IntEnum):
    CHAT = Qt.ItemDataRole.UserRole + 1
    """The `Chat`, None for a heading."""
    SECTION = Qt.ItemDataRole.UserRole + 2
    """The `Section`, None for a chat."""
    CURRENT = Qt.ItemDataRole.UserRole + 3
    LIVE = Qt.ItemDataRole.UserRole + 4
    """True while an answer is being written in the chat."""


class ChatList(QAbstractListModel):
    """Rows are `Section`s and `Chat`s. A title is edited in place; `renamed` asks the owner to keep it. GUI thread."""

    renamed = Signal(str, str)

    def __init__(
        self,
        heading: Callable[[Section], str],
        now: Callable[[], datetime] = datetime.now,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._heading = heading
        self._now = now
        self._rows: list[Section | Chat] = []
        self._current: str | None = None
        self._live: frozenset[str] = frozenset()

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid() or isinstance(self._rows[index.row()], Section):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if isinstance(row, Section):
            return self._heading(row) if role == Qt.ItemDataRole.DisplayRole else self._section_data(row, role)
        return self._chat_data(row, role)

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self._rows[index.row()] if index.isValid() else None
        title = str(value).strip()
        if role != Qt.ItemDataRole.EditRole or not isinstance(row, Chat) or not title or title == row.title:
            return False
        self.renamed.emit(row.id, title)
        return True

    def index_of(self, chat_id: str) -> QModelIndex:
        """The chat's index, an invalid one where it is not listed."""
        for number, row in enumerate(self._rows):
            if isinstance(row, Chat) and row.id == chat_id:
                return self.index(number)
        return QModelIndex()

    def show(self, chats: Iterable[Chat]) -> None:
        """Arranges the chats anew; rows that stay are not touched, so that an open editor and the scroll stay."""
        rows = arranged(chats, self._now())
        old_keys, new_keys = [_key(row) for row in self._rows], [_key(row) for row in rows]
        shift = 0
        for kind, old_from, old_to, new_from, new_to in SequenceMatcher(None, old_keys, new_keys, False).get_opcodes():
            if kind == "equal":
                continue
            at = old_from + shift
            if old_to > old_from:
                self.beginRemoveRows(QModelIndex(), at, at + old_to - old_from - 1)
                del self._rows[at : at + old_to - old_from]
                self.endRemoveRows()
            if new_to > new_from:
                self.beginInsertRows(QModelIndex(), at, at + new_to - new_from - 1)
                self._rows[at:at] = rows[new_from:new_to]
                self.endInsertRows()
            shift += (new_to - new_from) - (old_to - old_from)
        for number, row in enumerate(rows):
            if self._rows[number] != row:
                self._rows[number] = row
                self._changed(number)

    def mark(self, current: str | None, live: Iterable[str]) -> None:
        """Says which chat is open and in which an answer is being written."""
        old = (self._current, self._live)
        self._current, self._live = current, frozenset(live)
        touched = ({old[0]} ^ {current}) | (old[1] ^ self._live)
        for number, row in enumerate(self._rows):
            if isinstance(row, Chat) and row.id in touched:
                self._changed(number)

    def _changed(self, number: int) -> None:
        index = self.index(number)
        self.dataChanged.emit(index, index)

    def _section_data(self, section: Section, role: int) -> object:
        return section if role == ChatRole.SECTION else None

    def _chat_data(self, chat: Chat, role: int) -> object:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole, Qt.ItemDataRole.ToolTipRole):
            return chat.title
        if role == ChatRole.CHAT:
            return chat
        if role == ChatRole.CURRENT:
            return chat.id == self._current
        return chat.id in self._live if role == ChatRole.LIVE else None


def _key(row: Section | Chat) -> str:
    return row.name if isinstance(row, Section) else row.id
