"""The units that imports and exports consist of."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.store.records import Chat, ChatMessage, Folder


@dataclass(frozen=True, slots=True)
class PortableChat:
    """A chat with all its messages, parents before children, and its folder."""

    chat: Chat
    messages: tuple[ChatMessage, ...]
    folder: Folder | None = None
    n_unread: int = 0
    """Number of messages that could not be read."""


@dataclass(frozen=True, slots=True)
class UnreadableChat:
    """A chat, or a file in a folder or archive, that could not be read. `name` may be ""."""

    name: str


ImportItem = PortableChat | Folder | UnreadableChat
"""What an imported file contains: chats, empty folders, and names of what could not be read."""
