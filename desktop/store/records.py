"""What the store keeps: chats, and their messages as nodes of a tree. Frozen values, fit to cross threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]

State = Literal["complete", "streaming", "stopped", "failed", "cut"]
"""complete: as meant. streaming: being written now. stopped: by the person. failed: by an error, see `note`.
cut: the app ended while it was being written."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A stored conversation. `leaf_id` is the last message of the branch that is shown."""

    id: str
    title: str
    created_s: float
    updated_s: float
    pinned: bool = False
    leaf_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One node of a chat's tree. `parent_id` None marks a root. Times are seconds, counts are tokens."""

    id: str
    chat_id: str
    parent_id: str | None
    role: Role
    text: str
    state: State
    created_s: float
    model_id: str = ""
    n_prompt: int = 0
    n_cached: int = 0
    n_output: int = 0
    decode_s: float = 0.0
    first_token_s: float = 0.0
    note: str = ""
    """One sentence about what went wrong, as it was shown."""
