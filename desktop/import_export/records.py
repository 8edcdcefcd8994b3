"""A chat on its way in or out."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from desktop.import_export.formats.reasoning import split_reasoning
from desktop.platform.surrogates import well_formed
from desktop.store.records import Chat, ChatMessage, Folder, Role

_SPACE = uuid.UUID("5d0f9c0e-4645-4a8e-9d5e-1f2b7c3a6e10")

ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
"""What the programs whose files we read call each side."""


@dataclass(frozen=True, slots=True)
class PortableChat:
    """A chat with every node of its tree, parents before their children."""

    chat: Chat
    messages: tuple[ChatMessage, ...]
    folder: Folder | None = None
    """The folder that the chat lies in."""
    n_unread: int = 0
    """Messages of it that could not be read."""


@dataclass(frozen=True, slots=True)
class UnreadableChat:
    """A chat, or a file among others, that could not be read. `name` may be ""."""

    name: str


ImportItem = PortableChat | Folder | UnreadableChat
"""What a file holds: chats, the folders in which none of them lies, and what could not be read."""


def stable_id(source: str, foreign: str) -> str:
    """Our id for something that has one elsewhere: the same each time, so that what is imported twice is known."""
    return uuid.uuid5(_SPACE, f"{source}:{well_formed(foreign)}").hex


def parents_first(parents: Mapping[str, str | None], order: Mapping[str, int] | None = None) -> list[str]:
    """Every node after its parent. A node is a root whose parent is not there; a ring is cut before its first node.
    `order` says in which order the children of one node come; without it they come as they are."""
    children: dict[str, list[str]] = defaultdict(list)
    roots: list[str] = []
    for node, parent in parents.items():
        (children[parent] if parent is not None and parent in parents else roots).append(node)
    if order is not None:
        for each in children.values():
            each.sort(key=lambda node: order.get(node, len(order)))
    ordered: dict[str, None] = {}
    for start in (*roots, *parents):  # the second time round, what only rings lead to
        waiting = [start]
        while waiting:
            node = waiting.pop()
            if node not in ordered:
                ordered[node] = None
                waiting += reversed(children[node])
    return list(ordered)


class Builder:
    """Puts a foreign chat together. `source` names where it comes from; times are Unix seconds."""

    def __init__(self, source: str, foreign_id: str, title: str, created_s: float, updated_s: float) -> None:
        self._source = source
        self._id = stable_id(source, foreign_id)
        self._title = " ".join(well_formed(title).split()) or "…"
        self._times = created_s, max(created_s, updated_s)
        self._messages: dict[str, ChatMessage] = {}
        self._n_unread = 0

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
        seconds = 0.0
        if role == "assistant" and not reasoning:
            text, reasoning, seconds = split_reasoning(text)
        self._messages[foreign_id] = ChatMessage(
            stable_id(self._source, f"{self._id}/{foreign_id}"),
            self._id,
            known.id if known else None,
            role,
            well_formed(text),
            "complete",
            created_s or self._times[0],
            well_formed(model_id),
            reasoning=well_formed(reasoning),
            reasoning_s=seconds,
        )

    def skip(self) -> None:
        """One message could not be read."""
        self._n_unread += 1

    def built(self, leaf: str | None = None, pinned: bool = False, archived: bool = False) -> PortableChat | None:
        """None where nothing was said. `leaf` is the foreign id of the last message that is shown; where it names
        none, the newest is. Raises ValueError where all of it could not be read."""
        if not self._messages:
            if self._n_unread:
                raise ValueError("none of its messages could be read")
            return None
        shown = self._messages.get(leaf) if leaf is not None else None
        last = shown or max(reversed(self._messages.values()), key=lambda message: message.created_s)
        title = self._title[:200]
        chat = Chat(self._id, title, *self._times, pinned, last.id, titled_by="person", archived=archived)
        return PortableChat(chat, tuple(self._messages.values()), n_unread=self._n_unread)
