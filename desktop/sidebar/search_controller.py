"""Search as one types: the last words asked for win."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QObject, Signal

from desktop.platform.task_set import TaskSet
from desktop.sidebar.search_results_model import SearchResultsModel
from desktop.store.errors import StoreError
from desktop.store.search import Search


class SearchController(QObject):
    """`found` is what it shows. GUI thread only."""

    answered = Signal(str, int)
    """The words that were looked for, and how many hits they had; "" after the search was left."""
    failed = Signal(object)

    def __init__(self, search: Search) -> None:
        super().__init__()
        self.found = SearchResultsModel(self)
        self._search = search
        self._words = ""
        self._tasks = TaskSet(lambda error, _: self.failed.emit(error))

    def search_for(self, words: str) -> None:
        """Empty words leave the search."""
        self._words = words.strip()
        if self._words:
            self._tasks.spawn(self._look_for(self._words), "search the chats")
        else:
            self.found.show(())
            self.answered.emit("", 0)

    def again(self) -> None:
        """The chats have changed."""
        if self._words:
            self.search_for(self._words)

    async def aclose(self) -> None:
        """Idempotent."""
        self._words = ""
        await self._tasks.aclose()
        await self._search.aclose()

    async def _look_for(self, words: str) -> None:
        try:
            hits = await self._search.find(words)
        except (StoreError, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError):
                raise
            self.failed.emit(error)
            return
        if hits is not None and words == self._words:
            self.found.show(hits)
            self.answered.emit(words, len(hits))
