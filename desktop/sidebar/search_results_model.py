"""What a search found as a Qt list."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from PySide6.QtCore import QCoreApplication, Qt

from desktop.store.search import SearchHit, SnippetPart
from desktop.widgets.row_list import Index, RowList


class SearchResultRole(IntEnum):
    HIT = Qt.ItemDataRole.UserRole + 1
    """The `SearchHit`."""


class SearchResultsModel(RowList[SearchHit]):
    """Rows are `SearchHit`s. GUI thread only."""

    @property
    def hits(self) -> list[SearchHit]:
        return list(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        hit = self.at(index)
        if hit is None:
            return None
        if role == SearchResultRole.HIT:
            return hit
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            words = ": ".join(text for text in (plain(hit.title), plain(hit.snippet)) if text)
            if role == Qt.ItemDataRole.AccessibleTextRole and hit.archived:
                return QCoreApplication.translate("sentences", "{words}, in the archive").format(words=words)
            return words
        return None

    def show(self, hits: Sequence[SearchHit]) -> None:
        """Replaces all rows."""
        if list(hits) != self._rows:
            self.beginResetModel()
            self._rows = list(hits)
            self.endResetModel()


def plain(parts: Sequence[SnippetPart]) -> str:
    return "".join(part.text for part in parts)
