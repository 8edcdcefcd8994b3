"""Runs searches over all chats and holds the results."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal

from desktop.platform.task_set import TaskSet
from desktop.store.errors import StoreError
from desktop.store.search import ChatSearch, SearchHit, SnippetPart
from desktop.widgets.row_list import Index, RowList


class SearchResultRole(IntEnum):
    HIT = Qt.ItemDataRole.UserRole + 1
    """The `SearchHit` in the row."""


class SearchResultsModel(RowList[SearchHit]):
    """List model of `SearchHit`s. GUI thread only."""

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
            words = ": ".join(text for text in (plain_text(hit.title), plain_text(hit.snippet)) if text)
            if role == Qt.ItemDataRole.AccessibleTextRole and hit.archived:
                return QCoreApplication.translate("sidebar", "{words}, in the archive").format(words=words)
            return words
        return None

    def show(self, hits: Sequence[SearchHit]) -> None:
        """Replaces all rows by `hits`."""
        if list(hits) != self._rows:
            self.beginResetModel()
            self._rows = list(hits)
            self.endResetModel()


class SearchController(QObject):
    """Runs searches. `results` always belongs to the latest search. GUI thread only."""

    finished = Signal(str, int)
    """The search words and the number of results. The words are empty after the search was cleared."""
    failed = Signal(object)

    def __init__(self, search: ChatSearch) -> None:
        super().__init__()
        self.results = SearchResultsModel(self)
        self._search = search
        self._words = ""
        self._tasks = TaskSet(lambda error, _: self.failed.emit(error))

    def search_for(self, words: str) -> None:
        """Starts a search. Blank `words` clear the results."""
        self._words = words.strip()
        if self._words:
            self._tasks.spawn(self._run(self._words), "search the chats")
        else:
            self.results.show(())
            self.finished.emit("", 0)

    def repeat(self) -> None:
        """Repeats the latest search, because chats have changed."""
        if self._words:
            self.search_for(self._words)

    async def aclose(self) -> None:
        """Ends running searches and closes the connection of the search. Idempotent."""
        self._words = ""
        await self._tasks.aclose()
        await self._search.aclose()

    async def _run(self, words: str) -> None:
        try:
            hits = await self._search.find(words)
        except StoreError as error:
            self.failed.emit(error)
            return
        if hits is not None and words == self._words:
            self.results.show(hits)
            self.finished.emit(words, len(hits))


def plain_text(parts: Sequence[SnippetPart]) -> str:
    return "".join(part.text for part in parts)
