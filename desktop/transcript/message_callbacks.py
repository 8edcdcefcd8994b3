"""What a person may wish of a message, as one thing that its buttons are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from desktop.chat.controller import CONTINUABLE
from desktop.render.blocks import Block
from desktop.store.records import ChatMessage


@dataclass(frozen=True, slots=True)
class MessageCallbacks:
    """All but `save` take the message's id. `edit` opens the editor in the message's place."""

    retry: Callable[[str], None]
    go_on: Callable[[str], None]
    edit: Callable[[str], None]
    version: Callable[[str, int], None]
    alternatives: Callable[[str], None]
    pick: Callable[[str], None]
    delete: Callable[[str], None]
    fold: Callable[[str], None]
    more: Callable[[str], None]
    """Show more of a message that is too long to be shown at once."""
    save: Callable[[Block], None]
    """As a file: this one takes the block of code."""
    n_deleted: Callable[[str], int]
    """How many messages `delete` would delete."""


def can_continue(message: ChatMessage) -> bool:
    return message.role == "assistant" and message.state in CONTINUABLE and bool(message.text)
