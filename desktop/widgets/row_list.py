"""Qt list models of Python objects."""

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
    """The role under which `KeyedList.data` returns the row object."""


class RowList(QAbstractListModel, Generic[Row]):
    """The base class of list models. It holds the rows; a subclass implements `data`. GUI thread only."""

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
        """The row of an index; None if the index is invalid or the row was removed."""
        return self._rows[index.row()] if index.isValid() and index.row() < len(self._rows) else None

    def _rearrange(self, steps: Sequence[Change], wanted: Sequence[Row]) -> None:
        """Apply `steps`, the result of `row_diff.changes`. Inserted rows are taken from `wanted`; rows that remain are
        not updated."""
        for at, n_removed, inserted in steps:
            if n_removed:
                self.beginRemoveRows(QModelIndex(), at, at + n_removed - 1)
                del self._rows[at : at + n_removed]
                self.endRemoveRows()
            if inserted:
                self.beginInsertRows(QModelIndex(), at, at + len(inserted) - 1)
                self._rows[at:at] = wanted[inserted.start : inserted.stop]
                self.endInsertRows()


_CHANGED_ROLES = [RowRole.ROW, Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole]


class KeyedList(RowList[Row]):
    """A list of rows, each with a unique key. `name(row)` is the displayed text, and `describe(row)` the text for
    screen readers."""

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
        """Replace the rows with as few insertions and removals as possible, so that the selection and the focus stay on
        the same keys."""
        old, new = [self.key_of(row) for row in self._rows], [self.key_of(row) for row in wanted]
        self._rearrange(list(changes(old, new)), wanted)
        for number, row in enumerate(wanted):
            if self._rows[number] != row:
                self._rows[number] = row
                self.dataChanged.emit(self.index(number), self.index(number), _CHANGED_ROLES)
