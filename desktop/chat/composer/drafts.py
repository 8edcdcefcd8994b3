"""Drafts: unsent messages and unfinished edits of messages. They are saved to the store."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, KeysView, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer

from desktop.platform.task_set import TaskSet
from desktop.store.errors import StoreError
from desktop.store.records import Attachment
from desktop.store.store import Store

log = logging.getLogger(__name__)

NEW_CHAT_KEY = ""
"""Key of the draft for a new chat, which has no messages and no id yet."""

SAVE_DELAY_MS = 300
"""Delay between the first unsaved change and its save. Including the duration of the write, a draft is on disk within
500 ms."""
RETRY_MS = 5_000


@dataclass(frozen=True, slots=True)
class Draft:
    text: str = ""
    attachments: tuple[Attachment, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text or self.attachments)


Save = Callable[[str, str, tuple[Attachment, ...]], Awaitable[None]]
"""Saves a draft, given by key, text and attachments. Raises StoreError."""


class DraftCache:
    """Drafts by chat id, and unfinished edits by message id. A draft whose save failed still counts as unsaved.
    Qt-free; event-loop thread only."""

    def __init__(self, save: Save) -> None:
        self._save = save
        self._drafts: dict[str, Draft] = {}
        self._unsaved: set[str] = set()
        self._loaded = False

    @property
    def keys(self) -> KeysView[str]:
        """The ids of all chats and messages that have a draft, perhaps an empty one."""
        return self._drafts.keys()

    def __getitem__(self, key: str) -> Draft:
        return self._drafts.get(key, Draft())

    @property
    def is_saved(self) -> bool:
        return not self._unsaved

    def load(self, stored: Mapping[str, tuple[str, tuple[Attachment, ...]]]) -> None:
        """Add the drafts from the store; only the first call has an effect. Text that was typed before this call is
        appended to the stored draft."""
        if self._loaded:
            return
        for key, (text, attachments) in stored.items():
            typed = self._drafts.get(key, Draft())
            texts = [each for each in (text, typed.text) if each]
            self._drafts[key] = Draft("\n\n".join(texts), (*attachments, *typed.attachments))
        self._loaded = True

    def put(self, key: str, draft: Draft) -> None:
        if draft != self[key]:
            self._drafts[key] = draft
            self._unsaved.add(key)

    async def save(self) -> None:
        """Write all unsaved drafts. If a write fails, that draft and the remaining ones still count as unsaved. Raises
        StoreError.

        Does nothing before `load`, because it would overwrite the drafts in the store."""
        while self._loaded and self._unsaved:
            key = self._unsaved.pop()
            draft = self[key]
            try:
                await self._save(key, draft.text, draft.attachments)
            except BaseException:  # a draft whose save was cancelled may not be on disk
                self._unsaved.add(key)
                raise


class DraftSaver(QObject):
    """Saves the content of the composer as the draft of the open chat. When another chat is opened, shows its draft.
    GUI thread only.

    `current()` returns the content of the composer. `show(draft, same_chat)` replaces it; `same_chat` is False if
    another chat was opened."""

    def __init__(
        self,
        store: Store,
        tasks: TaskSet,
        current: Callable[[], Draft],
        show: Callable[[Draft, bool], None],
        report: Callable[[StoreError], None],
    ) -> None:
        super().__init__()
        self.cache = DraftCache(store.save_draft)
        self._store, self._tasks = store, tasks
        self._current, self._show, self._report = current, show, report
        self._key = NEW_CHAT_KEY
        self._showing = False
        self._failing = False
        self._closed = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._start_saving)

    async def open(self) -> None:
        """Load all drafts and show the draft of the open chat. Raises StoreError."""
        self.edited()  # the user may have typed before the handler `edited` was connected
        self.cache.load(await self._store.drafts())
        if self.cache[self._key] != self._current():
            self._show_draft(same_chat=True)
        self._save_soon()

    def edited(self) -> None:
        """Call this when the content of the composer has changed."""
        if not self._showing:
            self.put(self._key, self._current())

    def put(self, key: str, draft: Draft) -> None:
        """Store the draft of a chat. An empty draft deletes the stored one."""
        self.cache.put(key, draft)
        self._save_soon()

    def edit_of(self, message_id: str) -> str:
        """Text of the unfinished edit of a message; "" if there is none."""
        return self.cache[message_id].text

    def put_edit(self, message_id: str, text: str) -> None:
        """Store the unfinished edit of a message. An empty text deletes the stored one."""
        self.put(message_id, Draft(text))

    def switch(self, key: str, *, sent: bool = False) -> None:
        """Call this when another chat was opened. `sent` is True if sending the draft has created that chat."""
        before, self._key = self._key, key
        if key == before:
            return
        if sent:
            self.put(before, Draft())
        else:
            self._show_draft(same_chat=False)

    def move(self, key: str) -> None:
        """Move the content of the composer to the draft of another chat. If that chat has a draft, the content is
        inserted before it."""
        draft, other = self._current(), self.cache[key]
        self.cache.put(self._key, Draft())
        texts = [text for text in (draft.text, other.text) if text]
        self.put(key, Draft("\n\n".join(texts), (*draft.attachments, *other.attachments)))

    def remove_sent(self, key: str, draft: Draft) -> None:
        """Delete a draft that was sent in a chat that is not open. A draft that has changed since is kept."""
        if key != self._key and self.cache[key] == draft:
            self.put(key, Draft())

    async def aclose(self) -> None:
        """Save all drafts. A StoreError is logged, not raised."""
        self._closed = True
        self._timer.stop()
        try:
            if not self.cache.is_saved:
                self.cache.load(await self._store.drafts())
            await self.cache.save()
        except StoreError:
            log.exception("the last drafts could not be saved")

    def _show_draft(self, *, same_chat: bool) -> None:
        self._showing = True
        try:
            self._show(self.cache[self._key], same_chat)
        finally:
            self._showing = False

    def _save_soon(self) -> None:
        if not self._closed and not self.cache.is_saved and not self._timer.isActive():
            self._timer.start(SAVE_DELAY_MS)

    def _start_saving(self) -> None:
        self._tasks.spawn(self._save(), "save drafts")

    async def _save(self) -> None:
        try:
            await self.cache.save()
            self._failing = False
        except StoreError as error:
            if not self._closed:
                self._timer.start(RETRY_MS)
            if not self._failing:
                self._failing = True
                self._report(error)
