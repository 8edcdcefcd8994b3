"""Queue of changes that the chats write to the store. Failed writes are retried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from desktop.platform.task_set import TaskSet
from desktop.store.errors import StoreError
from desktop.store.records import Chat, ChatMessage, Folder
from desktop.store.store import Store

RETRY_S = 5.0

Unsaved = tuple[Chat, dict[str, ChatMessage]]


class WriteBehindQueue:
    """Writes chats, messages and folders to the store. Event-loop thread only.

    Data that could not be written stays in the queue. It is written again with the next save, and every `retry_s`
    seconds until a write succeeds. Saves that are requested during a write are combined into the next one. `report` is
    called with the first error of a series of failures, and `recovered` when a write succeeds after such a series."""

    def __init__(
        self,
        store: Store,
        report: Callable[[StoreError], None],
        retry_s: float = RETRY_S,
        recovered: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._report = report
        self._recovered = recovered
        self._retry_s = retry_s
        self._tasks = TaskSet(lambda error, name: None)
        self._unsaved: dict[str, Unsaved] = {}
        self._folders: dict[str, Folder | None] = {}
        """Unsaved folders by id; None stands for a deleted folder."""
        self._write_lock = asyncio.Lock()
        self._failing = False

    async def save(self, chat: Chat, *messages: ChatMessage) -> None:
        """Write a chat and these messages. On return they are on disk, unless the store failed. Never raises
        StoreError."""
        self._add(chat, {message.id: message for message in messages})
        await self.flush()

    async def save_all(self, chats: Iterable[Chat]) -> None:
        """Write several chats without messages. Errors are handled as in `save`."""
        for chat in chats:
            self._add(chat, {})
        await self.flush()

    async def save_folders(self, *folders: Folder) -> None:
        self._folders |= {folder.id: folder for folder in folders}
        await self.flush()

    async def delete_folder(self, folder_id: str) -> None:
        self._folders[folder_id] = None
        await self.flush()

    async def flush(self) -> None:
        """Write everything that is unsaved. Never raises StoreError."""
        async with self._write_lock:
            try:
                await self._write()
                if self._failing:
                    self._failing = False
                    self._recovered()
            except StoreError as error:
                if not self._failing:
                    self._failing = True
                    self._report(error)
                    self._tasks.spawn(self._retry(), "save again")

    async def aclose(self) -> None:
        """Try a last time to write everything that is unsaved. Idempotent."""
        await self._tasks.aclose()
        async with self._write_lock:
            with suppress(StoreError):
                await self._write()

    async def _retry(self) -> None:
        while self._failing:
            await asyncio.sleep(self._retry_s)
            await self.flush()

    def _add(self, chat: Chat, messages: dict[str, ChatMessage]) -> None:
        _, unsaved = self._unsaved.get(chat.id, (chat, {}))
        self._unsaved[chat.id] = (chat, unsaved | messages)

    async def _write(self) -> None:
        """Write everything that is unsaved. Folders are written first, so that every chat on disk is in a folder that
        is on disk too."""
        for folder_id in list(self._folders):
            folder = self._folders[folder_id]
            await (self._store.save_folders(folder) if folder is not None else self._store.delete_folder(folder_id))
            if self._folders.get(folder_id) is folder:
                del self._folders[folder_id]
        await self._write_chats()

    async def _write_chats(self) -> None:
        """Write the unsaved chats. Those without messages are written in one transaction, because each transaction
        waits for the disk. Those with messages are written one by one, so that a chat that is too large for a nearly
        full disk does not prevent the others from being written."""
        bare = [chat_id for chat_id, (_, messages) in self._unsaved.items() if not messages]
        full = [chat_id for chat_id, (_, messages) in self._unsaved.items() if messages]
        for chat_ids in ([bare] if bare else []) + [[chat_id] for chat_id in full]:
            await self._write_batch({chat_id: self._unsaved.pop(chat_id) for chat_id in chat_ids})

    async def _write_batch(self, batch: dict[str, Unsaved]) -> None:
        try:
            await self._store.save_all([(chat, list(messages.values())) for chat, messages in batch.values()])
        except BaseException:
            for chat_id, (chat, messages) in batch.items():
                newer_chat, newer = self._unsaved.get(chat_id, (chat, {}))
                self._unsaved[chat_id] = (newer_chat, messages | newer)
            raise
