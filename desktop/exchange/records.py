"""A chat on its way in or out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from desktop.store.records import Chat, ChatMessage, Folder, Role

_SPACE = uuid.UUID("5d0f9c0e-4645-4a8e-9d5e-1f2b7c3a6e10")


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A chat with every node of its tree, parents before their children."""

    chat: Chat
    messages: tuple[ChatMessage, ...]
    folder: Folder | None = None
    """The folder that the chat lies in."""


Piece = Exchanged | Folder
"""What a file holds: chats, and the folders in which none of them lies."""


def id_of(source: str, foreign: str) -> str:
    """Our id for something that has one elsewhere: the same each time, so that what is imported twice is known."""
    return uuid.uuid5(_SPACE, f"{source}:{foreign}").hex


class Builder:
    """Puts a foreign chat together. `source` names where it comes from; times are Unix seconds."""

    def __init__(self, source: str, foreign_id: str, title: str, created_s: float, updated_s: float) -> None:
        self._source = source
        self._id = id_of(source, foreign_id)
        self._title = " ".join(title.split()) or "…"
        self._times = created_s, max(created_s, updated_s)
        self._messages: dict[str, ChatMessage] = {}

    def add(
        self,
        foreign_id: str,
        parent: str | None,
        role: Role,
        text: str,
        created_s: float = 0.0,
        model_id: str = "",
        reasoning: str = "",
    ) -> None:
        """`parent` is the foreign id of a message that was added before, else this one becomes a root."""
        known = self._messages.get(parent) if parent is not None else None
        self._messages[foreign_id] = ChatMessage(
            id_of(self._source, f"{self._id}/{foreign_id}"),
            self._id,
            known.id if known else None,
            role,
            text,
            "complete",
            created_s or self._times[0],
            model_id,
            reasoning=reasoning,
        )

    def has(self, foreign_id: str) -> bool:
        return foreign_id in self._messages

    def built(self, leaf: str | None = None, pinned: bool = False, archived: bool = False) -> Exchanged | None:
        """None where nothing was said. `leaf` is the foreign id of the last message that is shown."""
        if not self._messages:
            return None
        shown = self._messages.get(leaf) if leaf is not None else None
        last = shown or next(reversed(self._messages.values()))
        title = self._title[:200]
        chat = Chat(self._id, title, *self._times, pinned, last.id, titled_by="person", archived=archived)
        return Exchanged(chat, tuple(self._messages.values()))
