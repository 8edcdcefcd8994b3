"""The requests of tools as a Qt list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from enum import IntEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.endpoint.feed import ToolRequest

Index = QModelIndex | QPersistentModelIndex

MAX_ROWS = 50
"""Under way and ended together; what is under way is always shown."""


class CallRole(IntEnum):
    CALL = Qt.ItemDataRole.UserRole + 1
    """The `ToolRequest`."""


_CHANGED = [CallRole.CALL, Qt.ItemDataRole.AccessibleTextRole]


class CallList(QAbstractListModel):
    """Under way first, then what has ended. `describe` tells one in a sentence. GUI thread."""

    def __init__(self, describe: Callable[[ToolRequest], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._describe = describe
        self._rows: list[ToolRequest] = []

    def __getitem__(self, row: int) -> ToolRequest:
        return self._rows[row]

    def __len__(self) -> int:
        return len(self._rows)

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        call = self._rows[index.row()]
        match role:
            case CallRole.CALL:
                return call
            case Qt.ItemDataRole.DisplayRole:
                return call.key
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._describe(call)
        return None

    def show(self, calls: Sequence[ToolRequest]) -> None:
        """Puts these in the place of the rows; only what is different is told."""
        n_live = sum(call.live for call in calls)
        wanted = list(calls[: max(MAX_ROWS, n_live)])
        steps = SequenceMatcher(None, [row.id for row in self._rows], [call.id for call in wanted], autojunk=False)
        for tag, i1, i2, j1, j2 in reversed(steps.get_opcodes()):
            if tag in ("delete", "replace"):
                self.beginRemoveRows(QModelIndex(), i1, i2 - 1)
                del self._rows[i1:i2]
                self.endRemoveRows()
            if tag in ("insert", "replace"):
                self.beginInsertRows(QModelIndex(), i1, i1 + j2 - j1 - 1)
                self._rows[i1:i1] = wanted[j1:j2]
                self.endInsertRows()
        for row, call in enumerate(wanted):
            if self._rows[row] != call:
                self._rows[row] = call
                self.dataChanged.emit(self.index(row), self.index(row), _CHANGED)
