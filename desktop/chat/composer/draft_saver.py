"""What stands in the composer, kept for each chat."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from desktop.chat.composer.drafts import NEW_CHAT_KEY, Draft, DraftCache
from desktop.platform.task_set import TaskSet
from desktop.store.errors import StoreError
from desktop.store.store import Store

log = logging.getLogger(__name__)

SAVE_MS = 300
"""After a change, however many follow; with the time that a write takes it stays below 500 ms."""

RETRY_MS = 5_000


class DraftSaver(QObject):
    """`current` says what stands in the composer, `show(draft, same_chat)` puts another there. GUI thread only."""

    def __init__(
        self,
        store: Store,
        tasks: TaskSet,
        current: Callable[[], Draft],
        show: Callable[[Draft, bool], None],
        report: Callable[[StoreError], None],
    ) -> None:
        super().__init__()
        self.book = DraftCache(store.save_draft)
        self._store, self._tasks = store, tasks
        self._current, self._show, self._report = current, show, report
        self._key = NEW_CHAT_KEY
        self._showing = False
        self._failing = False
        self._closed = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._start_saving)

    async def open(self) -> None:
        """Shows what was left in the composer. Raises StoreError."""
        self.edited()  # somebody may have typed as soon as the window stood, before anything listened
        self.book.take_up(await self._store.drafts())
        if self.book[self._key] != self._current():
            self._put_on_screen(same_chat=True)
        self._save_soon()

    def edited(self) -> None:
        """The composer holds something else."""
        if not self._showing:
            self.book.put(self._key, self._current())
            self._save_soon()

    def edit_of(self, message_id: str) -> str:
        """What was typed in place of a message and not saved; "" for nothing."""
        return self.book[message_id].text

    def put_edit(self, message_id: str, text: str) -> None:
        """A message is being edited, or no longer."""
        self.book.put(message_id, Draft(text))
        self._save_soon()

    def switch(self, key: str, *, sent: bool = False) -> None:
        """Another chat is open. `sent`: it was begun by sending what stands in the composer."""
        before, self._key = self._key, key
        if key == before:
            return
        if sent:
            self.book.put(before, Draft())
            self._save_soon()
        else:
            self._put_on_screen(same_chat=False)

    def move(self, key: str) -> None:
        """Takes what stands in the composer over to the draft of another chat, before what is there."""
        draft, there = self._current(), self.book[key]
        self.book.put(self._key, Draft())
        texts = [text for text in (draft.text, there.text) if text]
        self.book.put(key, Draft("\n\n".join(texts), (*draft.attachments, *there.attachments)))
        self._save_soon()

    def drop(self, key: str, draft: Draft) -> None:
        """A draft was sent from a chat that is not open. One that has become another stays."""
        if key != self._key and self.book[key] == draft:
            self.book.put(key, Draft())
            self._save_soon()

    async def aclose(self) -> None:
        """Writes what is not written. Never raises StoreError."""
        self._closed = True
        self._timer.stop()
        try:
            if not self.book.is_saved:  # closed before the store was read, perhaps
                self.book.take_up(await self._store.drafts())
            await self.book.save()
        except StoreError:
            log.exception("the last drafts could not be kept")

    def _put_on_screen(self, *, same_chat: bool) -> None:
        self._showing = True
        try:
            self._show(self.book[self._key], same_chat)
        finally:
            self._showing = False

    def _save_soon(self) -> None:
        if not self._closed and not self.book.is_saved and not self._timer.isActive():
            self._timer.start(SAVE_MS)

    def _start_saving(self) -> None:
        self._tasks.spawn(self._save(), "save drafts")

    async def _save(self) -> None:
        try:
            await self.book.save()
            self._failing = False
        except StoreError as error:
            if not self._closed:
                self._timer.start(RETRY_MS)
            if not self._failing:
                self._failing = True
                self._report(error)
