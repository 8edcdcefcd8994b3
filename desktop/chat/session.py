"""A chat in memory."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from desktop.chat.answer import Answer
from desktop.chat.conversation import Conversation, RemovedMessages
from desktop.store.records import Chat, ChatMessage


def new_id() -> str:
    return uuid.uuid4().hex


@dataclass
class ChatSession:
    """A chat with its tree, and the answers that are being written in it, by the ids of their messages."""

    chat: Chat
    conversation: Conversation
    answers: dict[str, Answer] = field(default_factory=dict)
    away: dict[str, ChatMessage] = field(default_factory=dict)
    """How messages ended that were deleted while they were being written."""

    @property
    def is_live(self) -> bool:
        return bool(self.answers)

    def take(self, message: ChatMessage) -> None:
        """Takes up what an answer says now."""
        if message.id in self.conversation:
            self.conversation.put(message)
        else:
            self.away[message.id] = message

    def restore(self, removed: RemovedMessages) -> None:
        self.conversation.restore(removed)
        for message in removed.messages:
            if (ended := self.away.pop(message.id, None)) is not None:
                self.conversation.put(ended)

    def stop(self) -> None:
        """Ends what is being written where it stands. Idempotent."""
        for answer in list(self.answers.values()):
            answer.stop()
