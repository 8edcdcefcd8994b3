"""Between the conversation and the store: nothing that could not be written is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from desktop.store.errors import StoreError
from desktop.store.records import Chat, ChatMessage
from desktop.store.store import Store


class Keeper:
    """Saves chats and messages. What the store refuses stays here and is tried again with the next save.

    `report` hears of the first failure of a row of failures. Loop's thread only."""

    def __init__(self, store: Store, report: Callable[[StoreError], None]) -> None:
        self._store = store
        self._report = report
        self._unsaved: dict[str, tuple[Chat, dict[str, ChatMessage]]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._failing = False

    async def save(self, chat: Chat, *messages: ChatMessage) -> None:
        """On disk when it returns, unless the store failed, which has then been reported. Never raises StoreError."""
        async with self._one_at_a_time:
            _, waiting = self._unsaved.pop(chat.id, (chat, {}))
            waiting.update({message.id: message for message in messages})
            self._unsaved[chat.id] = (chat, waiting)
            try:
                for kept, rows in list(self._unsaved.values()):
                    await self._store.save(kept, list(rows.values()))
                    del self._unsaved[kept.id]
                self._failing = False
            except StoreError as error:
                if not self._failing:
                    self._failing = True
                    self._report(error)
