"""The chats of the sidebar as a Qt list: headings, folders and chats in one column."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from enum import IntEnum

from PySide6.QtCore import QMimeData, QModelIndex, QObject, Qt, Signal

from desktop.platform.text_escaping import tooltip_text
from desktop.sidebar.chat_sections import ArchiveRow, FolderRow, Row, Section, arranged, key_of
from desktop.store.records import Chat, Folder
from desktop.widgets.row_diff import changes
from desktop.widgets.row_list import Index, RowList

CHATS_MIME = "application/x-inglenook-chats"
MAX_ROW_CHANGES = 400
"""Runs of rows that are taken out or put in one by one; beyond, the list is read anew."""


class ChatListRole(IntEnum):
    CHAT = Qt.ItemDataRole.UserRole + 1
    """The `Chat`, None for any other row."""
    SECTION = Qt.ItemDataRole.UserRole + 2
    """The `Section`, None for any other row."""
    CURRENT = Qt.ItemDataRole.UserRole + 3
    """True for the chat that is open, and for the folder in which it is out of sight."""
    LIVE = Qt.ItemDataRole.UserRole + 4
    """True while an answer is being written in the chat, or out of sight in the folder."""
    FOLDER = Qt.ItemDataRole.UserRole + 5
    """The `FolderRow`, None for any other row."""
    ARCHIVE = Qt.ItemDataRole.UserRole + 6
    """The `ArchiveRow`, None for any other row."""
    NESTED = Qt.ItemDataRole.UserRole + 7
    """True for a chat that stands under its folder, or under the archive."""


class ChatListModel(RowList[Row]):
    """Rows are `Row`s. Names are edited in place; `renamed` and `folder_renamed` ask the owner to keep them.

    `heading` names a section; `spoken` says what a folder or the archive is to those who cannot see it. GUI thread."""

    renamed = Signal(str, str)
    folder_renamed = Signal(str, str)

    def __init__(
        self,
        heading: Callable[[Section], str],
        now: Callable[[], datetime] = datetime.now,
        spoken: Callable[[FolderRow | ArchiveRow], str] = key_of,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._heading = heading
        self._now = now
        self._spoken = spoken
        self._keys: list[str] = []
        self._places: dict[str, int] = {}
        self._folders: dict[str, Folder] = {}
        self._inside: dict[str, str] = {}
        """The folder of each chat that is out of sight in one."""
        self._current: str | None = None
        self._live: frozenset[str] = frozenset()

    @property
    def folders(self) -> list[Folder]:
        """In the order in which they stand."""
        return list(self._folders.values())

    def chats_in_rows(self, first: int, last: int) -> list[Chat]:
        """Those of the rows from `first` to `last`."""
        return [row for row in self._rows[first : last + 1] if isinstance(row, Chat)]

    @property
    def tops(self) -> list[tuple[int, Row]]:
        """The rows at which another part begins, by their numbers."""
        others = (Chat, FolderRow)
        return [(number, row) for number, row in enumerate(self._rows) if not isinstance(row, others)]

    def flags(self, index: Index) -> Qt.ItemFlag:
        row = self._rows[index.row()] if index.isValid() else Section.TODAY
        if isinstance(row, Section):
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if isinstance(row, Chat):
            flags |= Qt.ItemFlag.ItemIsDragEnabled
        return flags if isinstance(row, ArchiveRow) else flags | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.at(index)
        if row is None:
            return None
        if isinstance(row, Chat):
            return self._chat_data(row, role)
        if isinstance(row, FolderRow):
            return self._folder_data(row, role)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._heading(row if isinstance(row, Section) else Section.ARCHIVE)
        if isinstance(row, Section):
            return row if role == ChatListRole.SECTION else None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row)
        return row if role == ChatListRole.ARCHIVE else None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self.at(index)
        name = " ".join(str(value).split())
        if role != Qt.ItemDataRole.EditRole or not name:
            return False
        if isinstance(row, Chat) and name != row.title:
            self.renamed.emit(row.id, name)
        elif isinstance(row, FolderRow) and name != row.folder.name:
            self.folder_renamed.emit(row.folder.id, name)
        else:
            return False
        return True

    def mimeTypes(self) -> list[str]:
        return [CHATS_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The ids of those chats, as they are dragged."""
        rows = [self._rows[index.row()] for index in indexes]
        data = QMimeData()
        data.setData(CHATS_MIME, json.dumps([row.id for row in rows if isinstance(row, Chat)]).encode())
        return data

    def index_of(self, chat_id: str) -> QModelIndex:
        """The chat's index, an invalid one where it is not listed."""
        return self.index(self._places.get(chat_id, -1))

    def index_of_folder(self, folder_id: str) -> QModelIndex:
        return self.index_of(f"/folder/{folder_id}")

    def index_of_section(self, section: Section) -> QModelIndex:
        """The heading's index, an invalid one where the section is empty."""
        return self.index_of(key_of(section))

    def show(self, chats: Collection[Chat], folders: Sequence[Folder] = (), archive_folded: bool = True) -> None:
        """Arranges the chats anew; rows that stay are not touched, so that an open editor and the scroll stay."""
        self._inside = _chats_in_folded(chats, {folder.id for folder in folders if folder.folded})
        rows = arranged(chats, self._now(), folders, archive_folded)
        keys = [row.id if isinstance(row, Chat) else key_of(row) for row in rows]
        self._folders = {folder.id: folder for folder in folders}
        places = {key: place for place, key in enumerate(keys)}
        if keys != self._keys:
            self._take_up(rows, keys, places)
        self._places = places
        for number, row in enumerate(rows):
            if self._rows[number] is not row and self._rows[number] != row:
                self._rows[number] = row
                self._changed(number)

    def mark(self, current: str | None, live: Iterable[str]) -> None:
        """Says which chat is open and in which an answer is being written."""
        old = (self._current, self._live)
        self._current, self._live = current, frozenset(live)
        for key in ({old[0]} ^ {current}) | (old[1] ^ self._live):
            place = self._places.get(f"/folder/{self._inside[key]}" if key in self._inside else key or "")
            if place is not None:
                self._changed(place)

    def _take_up(self, rows: list[Row], keys: list[str], places: dict[str, int]) -> None:
        steps = list(changes(self._keys, keys))
        if len(steps) > MAX_ROW_CHANGES:
            self.beginResetModel()
            self._rows, self._keys, self._places = list(rows), keys, places
            self.endResetModel()
            return
        self._rearrange(steps, rows)
        self._keys = keys

    def _changed(self, number: int) -> None:
        index = self.index(number)
        self.dataChanged.emit(index, index)

    def _folder_data(self, row: FolderRow, role: int) -> object:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.folder.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip_text(row.folder.name)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row)
        if role == ChatListRole.CURRENT:
            return self._inside.get(self._current or "") == row.folder.id
        if role == ChatListRole.LIVE:
            return any(self._inside.get(chat_id) == row.folder.id for chat_id in self._live)
        return row if role == ChatListRole.FOLDER else None

    def _chat_data(self, chat: Chat, role: int) -> object:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return chat.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip_text(chat.title)
        if role == ChatListRole.CHAT:
            return chat
        if role == ChatListRole.CURRENT:
            return chat.id == self._current
        if role == ChatListRole.NESTED:
            return chat.archived or (not chat.pinned and chat.folder_id in self._folders)
        return chat.id in self._live if role == ChatListRole.LIVE else None


def _chats_in_folded(chats: Iterable[Chat], folded: set[str]) -> dict[str, str]:
    """The folder of each chat that stands in one of these."""
    if not folded:
        return {}
    inside = (chat for chat in chats if chat.folder_id in folded)
    return {chat.id: chat.folder_id for chat in inside if not (chat.pinned or chat.archived)}
