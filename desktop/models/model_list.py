"""Models as a Qt list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from enum import IntEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.models.rows import ModelRow

Index = QModelIndex | QPersistentModelIndex


class ModelRole(IntEnum):
    ROW = Qt.ItemDataRole.UserRole + 1
    """The `ModelRow`."""


_CHANGED = [ModelRole.ROW, Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole]


class ModelList(QAbstractListModel):
    """`describe` tells one model in a sentence. GUI thread."""

    def __init__(self, describe: Callable[[ModelRow], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._describe = describe
        self._rows: list[ModelRow] = []

    def __getitem__(self, row: int) -> ModelRow:
        return self._rows[row]

    def __len__(self) -> int:
        return len(self._rows)

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        match role:
            case ModelRole.ROW:
                return row
            case Qt.ItemDataRole.DisplayRole:
                return row.name
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._describe(row)
        return None

    def show(self, wanted: Sequence[ModelRow]) -> None:
        """Puts these in the place of the rows; only what is different is told, so that the focus stays where it is."""
        steps = SequenceMatcher(None, [row.key for row in self._rows], [row.key for row in wanted], autojunk=False)
        for tag, i1, i2, j1, j2 in reversed(steps.get_opcodes()):
            if tag in ("delete", "replace"):
                self.beginRemoveRows(QModelIndex(), i1, i2 - 1)
                del self._rows[i1:i2]
                self.endRemoveRows()
            if tag in ("insert", "replace"):
                self.beginInsertRows(QModelIndex(), i1, i1 + j2 - j1 - 1)
                self._rows[i1:i1] = wanted[j1:j2]
                self.endInsertRows()
        for number, row in enumerate(wanted):
            if self._rows[number] != row:
                self._rows[number] = row
                self.dataChanged.emit(self.index(number), self.index(number), _CHANGED)
