"""What was written and not sent, of each chat. Qt-free."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from desktop.store.records import Attachment

NEW_CHAT_KEY = ""
"""The key of the chat that is not begun."""


@dataclass(frozen=True, slots=True)
class Draft:
    text: str = ""
    attachments: tuple[Attachment, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text or self.attachments)


Save = Callable[[str, str, tuple[Attachment, ...]], Awaitable[None]]


class DraftCache:
    """Drafts by chat, and by message where one is edited. What could not be saved stays here and is tried again by the
    next `save`. Loop's thread only."""

    def __init__(self, save: Save) -> None:
        self._save = save
        self._drafts: dict[str, Draft] = {}
        self._unsaved: set[str] = set()
        self._known = False

    def __getitem__(self, chat_id: str) -> Draft:
        return self._drafts.get(chat_id, Draft())

    @property
    def is_saved(self) -> bool:
        return not self._unsaved

    def take_up(self, stored: Mapping[str, tuple[str, tuple[Attachment, ...]]]) -> None:
        """What lay in the store, once. What was written before it was read is put behind it."""
        if self._known:
            return
        for chat_id, (text, attachments) in stored.items():
            begun = self._drafts.get(chat_id, Draft())
            texts = [each for each in (text, begun.text) if each]
            self._drafts[chat_id] = Draft("\n\n".join(texts), (*attachments, *begun.attachments))
        self._known = True

    def put(self, chat_id: str, draft: Draft) -> None:
        if draft != self[chat_id]:
            self._drafts[chat_id] = draft
            self._unsaved.add(chat_id)

    async def save(self) -> None:
        """Writes what is new. Raises StoreError; then all of it is still here. Does nothing before `take_up`, since
        what lies in the store unread would be written over."""
        while self._known and self._unsaved:
            chat_id = self._unsaved.pop()
            draft = self[chat_id]
            try:
                await self._save(chat_id, draft.text, draft.attachments)
            except BaseException:  # also where it is cancelled: it may not be on disk
                self._unsaved.add(chat_id)
                raise
