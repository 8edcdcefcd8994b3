"""What can be asked of the engine. All frozen: a request is a value and may cross threads."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Literal

Door = Literal["window", "endpoint"]
"""Who asks. The window outranks the endpoint."""


def new_request_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. `temperature` 0 is greedy; `seed` None draws a fresh one per request."""

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    seed: int | None = None


GREEDY = Sampling(temperature=0.0)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Answer `messages` through the model's chat template. `max_tokens` None: until the model or the context ends."""

    messages: tuple[Message, ...]
    door: Door
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    id: str = field(default_factory=new_request_id)


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """Go on from `prompt` as it stands, without a template."""

    prompt: str
    door: Door
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    id: str = field(default_factory=new_request_id)


Request = ChatRequest | CompletionRequest
