"""Calculates which old turns would have to be left out of a chat that is too long for the context.

The chat is not changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.prompt.message_arrangement import SYSTEM_ROLES
from engine.requests import Message

MIN_ANSWER_TOKENS = 256
"""Tokens that are reserved for the answer. In a context of less than four times this length, a quarter of the context
is reserved."""


@dataclass(frozen=True, slots=True)
class ContextFit:
    """How a chat fits into the context. Lengths are in tokens."""

    n_prompt: int
    """The length of the prompt with all messages."""
    n_ctx: int
    left_out: tuple[int, ...]
    """Indexes of the messages that would be left out: whole turns, oldest first.

    System messages and the last turn are never left out. Empty if all messages fit."""
    n_kept: int
    """The length of the prompt with the remaining messages."""
    fits: bool
    """Whether the remaining messages leave room for an answer."""


def split_turns(messages: Sequence[Message]) -> list[list[int]]:
    """The indexes of the messages in each turn.

    A turn is a user message and everything up to the next one. System messages belong to no turn."""
    found: list[list[int]] = []
    for index, message in enumerate(messages):
        if message.role in SYSTEM_ROLES:
            continue
        if message.role == "user" or not found:
            found.append([])
        found[-1].append(index)
    return found


def fit_to_context(messages: Sequence[Message], count: Callable[[Sequence[Message]], int], n_ctx: int) -> ContextFit:
    """Calculates the smallest number of oldest turns that have to be left out.

    `count` returns the number of tokens of a list of messages. It is called about log2(turns) times."""
    limit = n_ctx - min(MIN_ANSWER_TOKENS, n_ctx // 4)
    n_prompt = count(messages)
    if n_prompt <= limit:
        return ContextFit(n_prompt, n_ctx, (), n_prompt, True)
    oldest = split_turns(messages)[:-1]

    def without(n_turns: int) -> tuple[tuple[int, ...], int]:
        indexes = {index for turn in oldest[:n_turns] for index in turn}
        kept = [message for index, message in enumerate(messages) if index not in indexes]
        return tuple(sorted(indexes)), count(kept)

    low, high = 1, len(oldest)
    while low < high:
        middle = (low + high) // 2
        if without(middle)[1] <= limit:
            high = middle
        else:
            low = middle + 1
    left_out, n_kept = without(high) if oldest else ((), n_prompt)
    return ContextFit(n_prompt, n_ctx, left_out, n_kept, n_kept <= limit)
