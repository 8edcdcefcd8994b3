"""The messages of a chat as a tree, of which one branch is shown. Qt-free."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from desktop.store.records import ChatMessage


def new_id() -> str:
    """Id of a new chat, message, folder or group."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class RemovedMessages:
    """Messages removed by `Conversation.remove`, for `Conversation.restore`."""

    messages: tuple[ChatMessage, ...]
    """The removed message, then its descendants, parents before children."""
    place: int
    """Index of the first message among its versions."""
    leaf_id: str | None
    """Leaf of the branch that was shown before."""


class Conversation:
    """Tree of the messages of one chat. The shown branch ends at `leaf_id`.

    Versions of a message are the messages with the same parent, oldest first. Only `remove` removes messages."""

    def __init__(self, messages: Iterable[ChatMessage] = (), leaf_id: str | None = None) -> None:
        self._messages: dict[str, ChatMessage] = {}
        self._children: dict[str | None, list[str]] = {}
        self._last_shown: dict[str | None, str] = {}  # message id → id of the child that was shown last
        for message in messages:
            self._add(message, len(self._children.get(message.parent_id, ())))
        last = next(reversed(self._messages), None)
        self.leaf_id: str | None = None
        self.end_at(leaf_id if leaf_id in self._messages else last)

    def __getitem__(self, message_id: str) -> ChatMessage:
        return self._messages[message_id]

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._messages

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: ChatMessage) -> None:
        """Replace the message with this id, or add the message and make it the leaf of the shown branch."""
        if message.id in self._messages:
            self._messages[message.id] = message
        else:
            self._add(message, len(self._children.get(message.parent_id, ())))
            self.end_at(message.id)

    def branch(self) -> list[ChatMessage]:
        """Messages of the shown branch, from root to leaf."""
        return self.path(self.leaf_id)

    def path(self, message_id: str | None) -> list[ChatMessage]:
        """Messages from the root to this message. Stops at a missing parent or a cycle."""
        path: dict[str, ChatMessage] = {}
        while message_id is not None and message_id not in path and (found := self._messages.get(message_id)):
            path[message_id] = found
            message_id = found.parent_id
        return list(reversed(path.values()))

    def siblings(self, message_id: str) -> list[str]:
        """Ids of all versions of this message, including itself."""
        return list(self._children[self._messages[message_id].parent_id])

    def versions(self) -> dict[str, tuple[int, int]]:
        """(number, count) for each shown message with more than one version; numbers start at 1."""
        found = {}
        for message in self.branch():
            versions = self._children[message.parent_id]
            if len(versions) > 1:
                found[message.id] = (versions.index(message.id) + 1, len(versions))
        return found

    def group(self, message_id: str) -> tuple[ChatMessage, ...]:
        """Answers that were generated together with this one; empty if it is the only one."""
        group_id = self._messages[message_id].group_id
        members = [self._messages[each] for each in self.siblings(message_id)] if group_id else []
        found = tuple(each for each in members if each.group_id == group_id)
        return found if len(found) > 1 else ()

    def side_by_side(self) -> dict[str, tuple[ChatMessage, ...]]:
        """{leaf id: answers to show side by side}: the group of the leaf; empty if the leaf has no group."""
        if self.leaf_id is None or not (group := self.group(self.leaf_id)):
            return {}
        return {self.leaf_id: group}

    def step(self, message_id: str, step: int) -> bool:
        """Show the version `step` places further, with its last shown descendants. Returns False at either end."""
        versions = self.siblings(message_id)
        place = versions.index(message_id) + step
        if not step or not 0 <= place < len(versions):
            return False
        self.show(versions[place])
        return True

    def show(self, message_id: str) -> None:
        """Show the branch through this message down to its last shown leaf."""
        self.end_at(self._last_shown_leaf(message_id))

    def end_at(self, message_id: str | None) -> None:
        """Show the branch that ends with this message; None shows nothing."""
        self.leaf_id = message_id
        for message in self.branch():
            self._last_shown[message.parent_id] = message.id

    def descendants(self, message_id: str) -> list[ChatMessage]:
        """This message and its descendants on all branches, parents before children."""
        found: dict[str, ChatMessage] = {}
        pending = [message_id]
        while pending:
            each = pending.pop()
            if each not in found:
                found[each] = self._messages[each]
                pending += reversed(self._children.get(each, ()))
        return list(found.values())

    def is_leaf(self, message_id: str) -> bool:
        return not self._children.get(message_id)

    def remove(self, message_id: str) -> RemovedMessages:
        """Remove a message and its descendants. Then shows the neighbouring version, or else the parent."""
        message = self._messages[message_id]
        subtree = self.descendants(message_id)
        versions = self._children[message.parent_id]
        removed = RemovedMessages(tuple(subtree), versions.index(message_id), self.leaf_id)
        versions.remove(message_id)
        for each in subtree:
            del self._messages[each.id]
            self._children.pop(each.id, None)
            self._last_shown.pop(each.id, None)
        if self._last_shown.get(message.parent_id) == message_id:
            del self._last_shown[message.parent_id]
        if self.leaf_id not in self._messages:
            if versions:
                self.show(versions[min(removed.place, len(versions) - 1)])
            else:
                self.end_at(message.parent_id if message.parent_id in self._messages else None)
        return removed

    def restore(self, removed: RemovedMessages) -> None:
        """Undo `remove`, and show the branch that was shown before it."""
        for number, message in enumerate(removed.messages):
            if message.id not in self._messages:
                versions = self._children.get(message.parent_id, ())
                self._add(message, min(removed.place, len(versions)) if number == 0 else len(versions))
        self.end_at(removed.leaf_id if removed.leaf_id in self._messages else removed.messages[-1].id)

    def _add(self, message: ChatMessage, place: int) -> None:
        self._messages[message.id] = message
        self._children.setdefault(message.parent_id, []).insert(place, message.id)

    def _last_shown_leaf(self, message_id: str) -> str:
        """Leaf of the last shown branch below a message, or of the newest one if none was shown."""
        visited = set()
        while (children := self._children.get(message_id)) and message_id not in visited:
            visited.add(message_id)
            shown = self._last_shown.get(message_id)
            message_id = shown if shown in self._messages and shown in children else children[-1]
        return message_id
