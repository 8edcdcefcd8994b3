"""The messages of a chat as a tree. One branch of the tree, a path from the root to a leaf, is shown. Qt-free."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from desktop.store.records import ChatMessage


def new_id() -> str:
    """New id for a chat, a message, a folder, or a group of answers."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class RemovedMessages:
    """Messages removed by `Conversation.remove`. `Conversation.restore` takes this object to undo the removal."""

    messages: tuple[ChatMessage, ...]
    """The removed message and all its descendants, parents before children."""
    place: int
    """Position that the removed message had among the messages with the same parent."""
    leaf_id: str | None
    """Leaf of the branch that was shown before the removal."""


class Conversation:
    """Tree of the messages of one chat. The shown branch ends at the message `leaf_id`.

    The versions of a message are all messages with the same parent, oldest first. Only `remove` removes messages."""

    def __init__(self, messages: Iterable[ChatMessage] = (), leaf_id: str | None = None) -> None:
        self._messages: dict[str, ChatMessage] = {}
        self._children: dict[str | None, list[str]] = {}
        self._last_shown: dict[str | None, str] = {}  # keys: parent ids, values: ids of the child that was shown last
        self._branch: list[ChatMessage] | None = None  # the result of `branch`, until a message or the leaf changes
        for message in messages:
            self._messages[message.id] = message
            self._children.setdefault(message.parent_id, []).append(message.id)
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
        """Replace the message with the same id. If there is none, add the message and make it the leaf of the shown
        branch."""
        if message.id in self._messages:
            self._messages[message.id] = message
            self._branch = None
        else:
            self._add(message, len(self._children.get(message.parent_id, ())))
            self.end_at(message.id)

    def branch(self) -> list[ChatMessage]:
        """Messages of the shown branch, from the root to the leaf."""
        if self._branch is None:
            self._branch = self.path(self.leaf_id)
        return list(self._branch)

    def path(self, message_id: str | None) -> list[ChatMessage]:
        """Messages from the root to this message. In a damaged tree, the path begins at a message whose parent is
        missing or already in the path."""
        path: dict[str, ChatMessage] = {}
        while message_id is not None and message_id not in path and (found := self._messages.get(message_id)):
            path[message_id] = found
            message_id = found.parent_id
        return list(reversed(path.values()))

    def siblings(self, message_id: str) -> list[str]:
        """Ids of all versions of this message, including the message itself."""
        return list(self._children[self._messages[message_id].parent_id])

    def versions(self) -> dict[str, tuple[int, int]]:
        """Number of the shown version, counted from 1, and number of all versions, for each shown message that has
        several versions."""
        several = {parent_id: ids for parent_id, ids in self._children.items() if len(ids) > 1}
        return {
            message.id: (versions.index(message.id) + 1, len(versions))
            for message in (self.branch() if several else ())
            if (versions := several.get(message.parent_id)) is not None
        }

    def group(self, message_id: str) -> tuple[ChatMessage, ...]:
        """This answer and all answers that were generated together with it; empty if it was generated alone."""
        group_id = self._messages[message_id].group_id
        members = [self._messages[each] for each in self.siblings(message_id)] if group_id else []
        found = tuple(each for each in members if each.group_id == group_id)
        return found if len(found) > 1 else ()

    def is_compared(self, message_id: str) -> bool:
        """Whether this answer was generated together with answers of other models."""
        return len({(each.model_id, each.host) for each in self.group(message_id)}) > 1

    def side_by_side(self) -> dict[str, tuple[ChatMessage, ...]]:
        """Answers that are shown side by side at the end of the branch, as the only value of a dict whose key is the id
        of the leaf. The dict is empty if the leaf was not generated together with other answers."""
        if self.leaf_id is None or not (group := self.group(self.leaf_id)):
            return {}
        return {self.leaf_id: group}

    def step(self, message_id: str, step: int) -> bool:
        """Show the version of a message that is `step` places later. Below it, the branch that was shown last is shown
        again. Returns False if there is no such version."""
        versions = self.siblings(message_id)
        place = versions.index(message_id) + step
        if not step or not 0 <= place < len(versions):
            return False
        self.show(versions[place])
        return True

    def show(self, message_id: str) -> None:
        """Show the branch that contains this message. Below the message, the branch that was last shown there is shown
        again."""
        self.end_at(self._last_shown_leaf(message_id))

    def end_at(self, message_id: str | None) -> None:
        """Show the branch that ends with this message. With None, no message is shown."""
        self.leaf_id = message_id
        self._branch = None
        for message in self.branch():
            self._last_shown[message.parent_id] = message.id

    def descendants(self, message_id: str) -> list[ChatMessage]:
        """This message and all its descendants on any branch, parents before children."""
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
        """Remove a message and its descendants. If the message was shown, a neighbouring version is shown instead; if
        there is none, the branch then ends with its parent."""
        message = self._messages[message_id]
        subtree = self.descendants(message_id)
        versions = self._children[message.parent_id]
        removed = RemovedMessages(tuple(subtree), versions.index(message_id), self.leaf_id)
        versions.remove(message_id)
        self._branch = None
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
        """Undo `remove`, and show the branch that was shown before the removal."""
        for number, message in enumerate(removed.messages):
            if message.id not in self._messages:
                versions = self._children.get(message.parent_id, ())
                self._add(message, min(removed.place, len(versions)) if number == 0 else len(versions))
        self.end_at(removed.leaf_id if removed.leaf_id in self._messages else removed.messages[-1].id)

    def _add(self, message: ChatMessage, place: int) -> None:
        self._branch = None
        self._messages[message.id] = message
        self._children.setdefault(message.parent_id, []).insert(place, message.id)

    def _last_shown_leaf(self, message_id: str) -> str:
        """Leaf of the branch that was last shown below this message. If none was shown, the newest child is followed at
        each step."""
        visited = set()
        while (children := self._children.get(message_id)) and message_id not in visited:
            visited.add(message_id)
            shown = self._last_shown.get(message_id)
            message_id = shown if shown in self._messages and shown in children else children[-1]
        return message_id
