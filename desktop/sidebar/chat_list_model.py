"""The list model of the sidebar. Section headings, folders, chats and the archive are rows of one column.

A folder or the archive can be folded (collapsed); its chats are hidden then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from enum import IntEnum

from PySide6.QtCore import QMimeData, QModelIndex, QObject, Qt, Signal

from desktop.platform.text_escaping import tooltip_text
from desktop.sidebar.chat_sections import ArchiveRow, FolderRow, Row, Section, arrange, key_of
from desktop.store.records import Chat, Folder
from desktop.widgets.row_diff import changes
from desktop.widgets.row_list import Index, RowList

CHATS_MIME = "application/x-inglenook-chats"
MAX_ROW_CHANGES = 400
"""If more contiguous groups of rows than this must be removed or inserted, the model is reset instead."""


class ChatListRole(IntEnum):
    CHAT = Qt.ItemDataRole.UserRole + 1
    """The `Chat` in the row, None if the row is not a chat."""
    SECTION = Qt.ItemDataRole.UserRole + 2
    """The `Section` whose heading the row is, None for other rows."""
    CURRENT = Qt.ItemDataRole.UserRole + 3
    """True for the open chat, or for the folded folder that hides it."""
    LIVE = Qt.ItemDataRole.UserRole + 4
    """True for a chat in which an answer is being generated, or for the folded folder that hides such a chat."""
    FOLDER = Qt.ItemDataRole.UserRole + 5
    """The `FolderRow`, None if the row is not a folder."""
    ARCHIVE = Qt.ItemDataRole.UserRole + 6
    """The `ArchiveRow`, None if the row is not the archive."""
    NESTED = Qt.ItemDataRole.UserRole + 7
    """True for a chat that is listed under its folder or under the archive."""


class ChatListModel(RowList[Row]):
    """Shows the rows that `arrange` returns. GUI thread only.

    `heading` returns the title of a section, `description` the accessible text of a folder or of the archive."""

    renamed = Signal(str, str)
    """Id and new title of a chat whose title the user edited in the list. The row does not change until `show` is
    called."""
    folder_renamed = Signal(str, str)

    def __init__(
        self,
        heading: Callable[[Section], str],
        now: Callable[[], datetime] = datetime.now,
        description: Callable[[FolderRow | ArchiveRow], str] = key_of,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._heading = heading
        self._now = now
        self._description = description
        self._keys: list[str] = []
        self._row_numbers: dict[str, int] = {}
        """Row number for each row key, see `key_of`."""
        self._folders: dict[str, Folder] = {}
        self._folded_into: dict[str, str] = {}
        """Folder id for each chat that a folded folder hides."""
        self._current: str | None = None
        self._live: frozenset[str] = frozenset()

    @property
    def folders(self) -> list[Folder]:
        """The folders in display order."""
        return list(self._folders.values())

    def chats_in_rows(self, first: int, last: int) -> list[Chat]:
        """Returns the chats in the rows `first` to `last`, inclusive."""
        return [row for row in self._rows[first : last + 1] if isinstance(row, Chat)]

    @property
    def section_rows(self) -> list[tuple[int, Section | ArchiveRow]]:
        """Headings of sections and of the archive, each with its row number."""
        return [(number, row) for number, row in enumerate(self._rows) if isinstance(row, Section | ArchiveRow)]

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
            return self._description(row)
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
        """Returns the ids of the chats in these rows, for a drag."""
        rows = [self._rows[index.row()] for index in indexes]
        data = QMimeData()
        data.setData(CHATS_MIME, json.dumps([row.id for row in rows if isinstance(row, Chat)]).encode())
        return data

    def index_of(self, chat_id: str) -> QModelIndex:
        """Returns the index of a chat. The index is invalid if the chat is not listed."""
        return self.index(self._row_numbers.get(chat_id, -1))

    def index_of_folder(self, folder_id: str) -> QModelIndex:
        return self.index_of(f"/folder/{folder_id}")

    def index_of_section(self, section: Section) -> QModelIndex:
        """Returns the index of a section heading. The index is invalid if the section is empty."""
        return self.index_of(key_of(section))

    def heading_of(self, index: Index) -> QModelIndex:
        """Returns the folder, archive or section heading above a chat. For a row that is not a chat, returns the row
        itself."""
        row = self._rows[index.row()]
        if isinstance(row, Chat) and not row.archived and self._is_nested(row):
            return self.index_of_folder(row.folder_id)
        if not isinstance(row, Chat):
            return self.index(index.row())
        above = (
            number for number in range(index.row(), -1, -1) if isinstance(self._rows[number], Section | ArchiveRow)
        )
        return self.index(next(above, 0))

    def show(self, chats: Collection[Chat], folders: Sequence[Folder] = (), archive_folded: bool = True) -> None:
        """Updates the rows. Only rows that differ are removed, inserted or changed, which preserves an open editor and
        the scroll position."""
        self._folded_into = _chats_in_folded(chats, {folder.id for folder in folders if folder.folded})
        rows = arrange(chats, self._now(), folders, archive_folded)
        keys = [row.id if isinstance(row, Chat) else key_of(row) for row in rows]
        self._folders = {folder.id: folder for folder in folders}
        rows_by_key = {key: number for number, key in enumerate(keys)}
        if keys != self._keys:
            self._change_rows(rows, keys, rows_by_key)
        self._row_numbers = rows_by_key
        for number, row in enumerate(rows):
            if self._rows[number] is not row and self._rows[number] != row:
                self._rows[number] = row
                self._changed(number)

    def mark(self, current: str | None, live: Iterable[str]) -> None:
        """Sets which chat is open, and in which chats answers are being generated."""
        old = (self._current, self._live)
        self._current, self._live = current, frozenset(live)
        for key in ({old[0]} ^ {current}) | (old[1] ^ self._live):
            number = self._row_numbers.get(
                f"/folder/{self._folded_into[key]}" if key in self._folded_into else key or ""
            )
            if number is not None:
                self._changed(number)

    def _change_rows(self, rows: list[Row], keys: list[str], rows_by_key: dict[str, int]) -> None:
        steps = list(changes(self._keys, keys))
        if len(steps) > MAX_ROW_CHANGES:
            self.beginResetModel()
            self._rows, self._keys, self._row_numbers = list(rows), keys, rows_by_key
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
            return self._description(row)
        if role == ChatListRole.CURRENT:
            return self._folded_into.get(self._current or "") == row.folder.id
        if role == ChatListRole.LIVE:
            return any(self._folded_into.get(chat_id) == row.folder.id for chat_id in self._live)
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
            return self._is_nested(chat)
        return chat.id in self._live if role == ChatListRole.LIVE else None

    def _is_nested(self, chat: Chat) -> bool:
        return chat.archived or (not chat.pinned and chat.folder_id in self._folders)


def _chats_in_folded(chats: Iterable[Chat], folded: set[str]) -> dict[str, str]:
    """Returns the folder id of each chat that is listed in one of the `folded` folders."""
    if not folded:
        return {}
    inside = (chat for chat in chats if chat.folder_id in folded)
    return {chat.id: chat.folder_id for chat in inside if not (chat.pinned or chat.archived)}
