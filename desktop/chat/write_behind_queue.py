"""Between the conversation and the store: nothing that could not be written is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from desktop.platform.task_set import TaskSet
from desktop.store.errors import StoreError
from desktop.store.records import Chat, ChatMessage, Folder
from desktop.store.store import Store

RETRY_S = 5.0


class WriteBehindQueue:
    """Saves chats and messages. What the store refuses stays here and is tried again with the next save, and every
    `retry_s` until there is room.

    What several ask to save while one write is under way goes to disk together, with the next.
    `report` hears of the first failure of a row of failures. Loop's thread only."""

    def __init__(
        self,
        store: Store,
        report: Callable[[StoreError], None],
        retry_s: float = RETRY_S,
        recovered: Callable[[], None] = lambda: None,
    ) -> None:
        """`recovered` is called when a save succeeds after a failure that was reported."""
        self._store = store
        self._report = report
        self._recovered = recovered
        self._retry_s = retry_s
        self._tasks = TaskSet(lambda error, name: None)
        self._unsaved: dict[str, tuple[Chat, dict[str, ChatMessage]]] = {}
        self._folders: dict[str, Folder | None] = {}
        self._one_at_a_time = asyncio.Lock()
        self._failing = False

    async def save(self, chat: Chat, *messages: ChatMessage) -> None:
        """On disk when it returns, unless the store failed, which has then been reported. Never raises StoreError."""
        self._add(chat, {message.id: message for message in messages})
        await self.flush()

    async def save_all(self, chats: Iterable[Chat]) -> None:
        """The same for several chats, without their messages."""
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
        """Tries once more what could not be saved. Never raises StoreError."""
        async with self._one_at_a_time:
            try:
                await self._write()
                if self._failing:
                    self._failing = False
                    self._recovered()
            except StoreError as error:
                if not self._failing:
                    self._failing = True
                    self._report(error)
                    self._tasks.spawn(self._keep_trying(), "save again")

    async def aclose(self) -> None:
        """Tries a last time. Idempotent."""
        await self._tasks.aclose()
        async with self._one_at_a_time:
            with suppress(StoreError):
                await self._write()

    async def _keep_trying(self) -> None:
        while self._failing:
            await asyncio.sleep(self._retry_s)
            await self.flush()

    def _add(self, chat: Chat, messages: dict[str, ChatMessage]) -> None:
        _, waiting = self._unsaved.get(chat.id, (chat, {}))
        self._unsaved[chat.id] = (chat, waiting | messages)

    async def _write(self) -> None:
        """Folders first, so that no chat is on disk in one that is not."""
        for folder_id in list(self._folders):
            folder = self._folders[folder_id]
            await (self._store.save_folders(folder) if folder is not None else self._store.delete_folder(folder_id))
            if self._folders.get(folder_id) is folder:
                del self._folders[folder_id]
        await self._write_chats()

    async def _write_chats(self) -> None:
        """Chats without messages go together, since each transaction waits for the disk; those with messages go one by
        one, so that one too long for a disk that is nearly full keeps no other from being written."""
        bare = [chat_id for chat_id, (_, messages) in self._unsaved.items() if not messages]
        full = [chat_id for chat_id, (_, messages) in self._unsaved.items() if messages]
        for chat_ids in ([bare] if bare else []) + [[chat_id] for chat_id in full]:
            await self._write_these({chat_id: self._unsaved.pop(chat_id) for chat_id in chat_ids})

    async def _write_these(self, taken: dict[str, tuple[Chat, dict[str, ChatMessage]]]) -> None:
        try:
            await self._store.save_all([(chat, list(messages.values())) for chat, messages in taken.values()])
        except BaseException:
            for chat_id, (chat, messages) in taken.items():
                newer_chat, newer = self._unsaved.get(chat_id, (chat, {}))
                self._unsaved[chat_id] = (newer_chat, messages | newer)
            raise
