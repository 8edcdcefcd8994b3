"""The records that are imported and exported."""

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
    """Number of messages of this chat that could not be read."""


@dataclass(frozen=True, slots=True)
class UnreadableChat:
    """A chat, or a file in a folder or archive, that could not be read. `name` is empty if it is unknown."""

    name: str


ImportItem = PortableChat | Folder | UnreadableChat
"""An item of an imported file: a chat, an empty folder, or something that could not be read."""
