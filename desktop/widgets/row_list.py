"""Rows of one kind as a Qt list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Generic, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.widgets.row_diff import Change, changes

Index = QModelIndex | QPersistentModelIndex
Row = TypeVar("Row")


class RowRole(IntEnum):
    ROW = Qt.ItemDataRole.UserRole + 1
    """What a row of a `KeyedList` shows, as it is."""


class RowList(QAbstractListModel, Generic[Row]):
    """Holds the rows; what each role says of one is the subclass's. GUI thread only."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []

    def __getitem__(self, row: int) -> Row:
        return self._rows[row]

    def __len__(self) -> int:
        return len(self._rows)

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def at(self, index: Index) -> Row | None:
        """The row of an index; None of one that is invalid, or of a row that has gone."""
        return self._rows[index.row()] if index.isValid() and index.row() < len(self._rows) else None

    def _rearrange(self, steps: Sequence[Change], wanted: Sequence[Row]) -> None:
        """Takes `steps` towards these rows. A row that stays is not touched, even where it says something else now."""
        for at, n_removed, inserted in steps:
            if n_removed:
                self.beginRemoveRows(QModelIndex(), at, at + n_removed - 1)
                del self._rows[at : at + n_removed]
                self.endRemoveRows()
            if inserted:
                self.beginInsertRows(QModelIndex(), at, at + len(inserted) - 1)
                self._rows[at:at] = wanted[inserted.start : inserted.stop]
                self.endInsertRows()


_SAYS_OTHER = [RowRole.ROW, Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole]


class KeyedList(RowList[Row]):
    """Rows that are known by a key, whatever they say. `name` is what is written of one, `describe` tells it in a
    sentence."""

    def __init__(
        self,
        key: Callable[[Row], str],
        name: Callable[[Row], str],
        describe: Callable[[Row], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.key_of = key
        self._name = name
        self._describe = describe

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.at(index)
        if row is None:
            return None
        match role:
            case RowRole.ROW:
                return row
            case Qt.ItemDataRole.DisplayRole:
                return self._name(row)
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._describe(row)
        return None

    def show(self, wanted: Sequence[Row]) -> None:
        """Puts these in the place of the rows; only what is different is told, so that the focus stays where it is."""
        old, new = [self.key_of(row) for row in self._rows], [self.key_of(row) for row in wanted]
        self._rearrange(list(changes(old, new)), wanted)
        for number, row in enumerate(wanted):
            if self._rows[number] != row:
                self._rows[number] = row
                self.dataChanged.emit(self.index(number), self.index(number), _SAYS_OTHER)
