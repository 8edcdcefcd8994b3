"""A chat made of what was said elsewhere."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from desktop.chat.titles import title_of
from desktop.store.records import Chat, ChatMessage, ChatSettings, Role
from desktop.store.store import Store


async def keep_imported(store: Store, system: str, said: Sequence[tuple[Role, str]]) -> Chat:
    """Stores a new chat of these messages, the oldest first, and returns it. Raises StoreError."""
    now, chat_id = time.time(), uuid.uuid4().hex
    messages: list[ChatMessage] = []
    for role, text in said:
        parent_id = messages[-1].id if messages else None
        messages.append(ChatMessage(uuid.uuid4().hex, chat_id, parent_id, role, text, "complete", now))
    first = next((text for role, text in said if role == "user"), "")
    leaf_id = messages[-1].id if messages else None
    chat = Chat(chat_id, title_of(first), now, now, leaf_id=leaf_id, settings=ChatSettings(system=system))
    await store.save(chat, messages)
    return chat
