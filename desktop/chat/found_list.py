"""What a search found as a Qt list."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from PySide6.QtCore import QAbstractListModel, QCoreApplication, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.store.search import Hit, Part

Index = QModelIndex | QPersistentModelIndex


class FoundRole(IntEnum):
    HIT = Qt.ItemDataRole.UserRole + 1
    """The `Hit`."""


class FoundList(QAbstractListModel):
    """Rows are `Hit`s. GUI thread only."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Hit] = []

    @property
    def hits(self) -> list[Hit]:
        return list(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        hit = self._rows[index.row()]
        if role == FoundRole.HIT:
            return hit
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            words = ": ".join(text for text in (plain(hit.title), plain(hit.snippet)) if text)
            if role == Qt.ItemDataRole.AccessibleTextRole and hit.archived:
                return QCoreApplication.translate("sentences", "{words}, in the archive").format(words=words)
            return words
        return None

    def show(self, hits: Sequence[Hit]) -> None:
        """Replaces all rows."""
        if list(hits) != self._rows:
            self.beginResetModel()
            self._rows = list(hits)
            self.endResetModel()


def plain(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts)
