"""A conversation as a tree of messages, of which one branch is shown. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from desktop.store.records import ChatMessage


@dataclass(frozen=True, slots=True)
class RemovedMessages:
    """What `Conversation.remove` took away, so that it can come back."""

    messages: tuple[ChatMessage, ...]
    """The first is the one that was named, the others follow it in the tree."""
    place: int
    """Of the first among its versions."""
    leaf_id: str | None
    """The end of the branch that was shown before."""


class Conversation:
    """The messages of one chat. The branch that is shown ends at `leaf_id`.

    Versions of a message are the messages with the same parent, the oldest first. Only `remove` takes anything away."""

    def __init__(self, messages: Iterable[ChatMessage] = (), leaf_id: str | None = None) -> None:
        self._messages: dict[str, ChatMessage] = {}
        self._children: dict[str | None, list[str]] = {}
        self._seen: dict[str | None, str] = {}  # of each message, the child that was shown last
        for message in messages:
            self._add(message, len(self._children.get(message.parent_id, ())))
        last = next(reversed(self._messages), None)
        self.leaf_id: str | None = None
        self._end_at(leaf_id if leaf_id in self._messages else last)

    def __getitem__(self, message_id: str) -> ChatMessage:
        return self._messages[message_id]

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._messages

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: ChatMessage) -> None:
        """Replaces the message of that id, or adds it and makes it the end of the shown branch."""
        if message.id in self._messages:
            self._messages[message.id] = message
        else:
            self._add(message, len(self._children.get(message.parent_id, ())))
            self._end_at(message.id)

    def branch(self) -> list[ChatMessage]:
        """The shown branch, from its root to its leaf."""
        return self.path(self.leaf_id)

    def path(self, message_id: str | None) -> list[ChatMessage]:
        """From the root to this message. A parent that is missing, or a ring, ends the walk."""
        path: dict[str, ChatMessage] = {}
        while message_id is not None and message_id not in path and (found := self._messages.get(message_id)):
            path[message_id] = found
            message_id = found.parent_id
        return list(reversed(path.values()))

    def siblings(self, message_id: str) -> list[str]:
        """The versions of this message, itself among them."""
        return list(self._children[self._messages[message_id].parent_id])

    def versions(self) -> dict[str, tuple[int, int]]:
        """(place, count) of each shown message that has more than one version; places count from 1."""
        found = {}
        for message in self.branch():
            versions = self._children[message.parent_id]
            if len(versions) > 1:
                found[message.id] = (versions.index(message.id) + 1, len(versions))
        return found

    def group(self, message_id: str) -> tuple[ChatMessage, ...]:
        """The answers that were asked for together with this one; empty where there are no others."""
        group_id = self._messages[message_id].group_id
        members = [self._messages[each] for each in self.siblings(message_id)] if group_id else []
        found = tuple(each for each in members if each.group_id == group_id)
        return found if len(found) > 1 else ()

    def side_by_side(self) -> dict[str, tuple[ChatMessage, ...]]:
        """The group that is seen side by side: that of the branch's last message, until the chat goes on from it."""
        if self.leaf_id is None or not (group := self.group(self.leaf_id)):
            return {}
        return {self.leaf_id: group}

    def step(self, message_id: str, step: int) -> bool:
        """Shows the version so many places further, with what was last seen after it. False at either end."""
        versions = self.siblings(message_id)
        place = versions.index(message_id) + step
        if not step or not 0 <= place < len(versions):
            return False
        self.show(versions[place])
        return True

    def show(self, message_id: str) -> None:
        """Shows the branch through this message, to the end that was last seen."""
        self._end_at(self._last_seen_leaf(message_id))

    def end_at(self, message_id: str) -> None:
        """Shows the branch that ends with this message."""
        self._end_at(message_id)

    def descendants(self, message_id: str) -> list[ChatMessage]:
        """This message and all that follow it, on every branch; parents before children."""
        found: dict[str, ChatMessage] = {}
        todo = [message_id]
        while todo:
            each = todo.pop()
            if each not in found:
                found[each] = self._messages[each]
                todo += reversed(self._children.get(each, ()))
        return list(found.values())

    def is_leaf(self, message_id: str) -> bool:
        return not self._children.get(message_id)

    def remove(self, message_id: str) -> RemovedMessages:
        """Takes away a message and all that follows it. What is then shown is its neighbouring version, if it had one,
        else what stood before it."""
        message = self._messages[message_id]
        gone = self.descendants(message_id)
        versions = self._children[message.parent_id]
        removed = RemovedMessages(tuple(gone), versions.index(message_id), self.leaf_id)
        versions.remove(message_id)
        for each in gone:
            del self._messages[each.id]
            self._children.pop(each.id, None)
            self._seen.pop(each.id, None)
        if self._seen.get(message.parent_id) == message_id:
            del self._seen[message.parent_id]
        if self.leaf_id not in self._messages:
            if versions:
                self.show(versions[min(removed.place, len(versions) - 1)])
            else:
                self._end_at(message.parent_id if message.parent_id in self._messages else None)
        return removed

    def restore(self, removed: RemovedMessages) -> None:
        """Puts back what `remove` took away, and shows what was shown before."""
        for number, message in enumerate(removed.messages):
            if message.id not in self._messages:
                versions = self._children.get(message.parent_id, ())
                self._add(message, min(removed.place, len(versions)) if number == 0 else len(versions))
        self._end_at(removed.leaf_id if removed.leaf_id in self._messages else removed.messages[-1].id)

    def _add(self, message: ChatMessage, place: int) -> None:
        self._messages[message.id] = message
        self._children.setdefault(message.parent_id, []).insert(place, message.id)

    def _end_at(self, message_id: str | None) -> None:
        self.leaf_id = message_id
        for message in self.branch():
            self._seen[message.parent_id] = message.id

    def _last_seen_leaf(self, message_id: str) -> str:
        """Where the last-seen branch below a message ends; where none was seen, the newest."""
        passed = set()
        while (children := self._children.get(message_id)) and message_id not in passed:
            passed.add(message_id)
            seen = self._seen.get(message_id)
            message_id = seen if seen in self._messages and seen in children else children[-1]
        return message_id
