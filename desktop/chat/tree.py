"""A conversation as a tree of messages, of which one branch is shown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from desktop.store.records import ChatMessage
from engine.requests import Message

TITLE_LENGTH = 48


class Conversation:
    """The messages of one chat. The branch that is shown ends at `leaf_id`."""

    def __init__(self, messages: Iterable[ChatMessage] = (), leaf_id: str | None = None) -> None:
        self._messages = {message.id: message for message in messages}
        last = next(reversed(self._messages), None)
        self.leaf_id = leaf_id if leaf_id in self._messages else last

    def __getitem__(self, message_id: str) -> ChatMessage:
        return self._messages[message_id]

    def put(self, message: ChatMessage) -> None:
        """Replaces the message of that id, or adds it and makes it the end of the shown branch."""
        if message.id not in self._messages:
            self.leaf_id = message.id
        self._messages[message.id] = message

    def branch(self) -> list[ChatMessage]:
        """The shown branch, from its root to its leaf. A parent that is missing, or a ring, ends the walk."""
        path: dict[str, ChatMessage] = {}
        message_id = self.leaf_id
        while message_id is not None and message_id not in path and (found := self._messages.get(message_id)):
            path[message_id] = found
            message_id = found.parent_id
        return list(reversed(path.values()))


def prompt_of(branch: Sequence[ChatMessage]) -> tuple[Message, ...]:
    """What the model is to read. Empty answers are left out; what one side said in a row becomes one message,

    because many chat templates refuse two messages of the same role in a row."""
    prompt: list[Message] = []
    for message in branch:
        if not message.text:
            continue
        if prompt and prompt[-1].role == message.role:
            prompt[-1] = Message(message.role, f"{prompt[-1].content}\n\n{message.text}")
        else:
            prompt.append(Message(message.role, message.text))
    return tuple(prompt)


def title_of(text: str) -> str:
    """A chat's first title: the first line of the first message, cut at a word."""
    line = " ".join(next((line for line in text.splitlines() if line.strip()), "").split())
    if len(line) <= TITLE_LENGTH:
        return line
    head, _, _ = line[: TITLE_LENGTH + 1].rpartition(" ")
    return (head or line[:TITLE_LENGTH]).rstrip(",.;:") + "…"
