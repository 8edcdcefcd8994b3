"""What to do when a chat is longer than the model reads: never anything in silence. This says what would fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.prompt.message_arrangement import SYSTEM_ROLES
from engine.requests import Message

ROOM_FOR_ANSWER = 256
"""Tokens that are kept free for an answer, where the context is not tiny."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a chat fits into the context, in tokens."""

    n_prompt: int
    """All messages, as the model would read them."""
    n_ctx: int
    left_out: tuple[int, ...]
    """Places of the messages that would be left out: whole turns, the oldest first, never the system's words nor the
    last turn. Empty where all fits."""
    n_kept: int
    """Without those."""
    fits: bool
    """Whether what is kept leaves room for an answer."""


def turns(messages: Sequence[Message]) -> list[list[int]]:
    """Places of the messages, by turn: what a person said, with all that follows up to their next word. System
    messages belong to none."""
    found: list[list[int]] = []
    for place, message in enumerate(messages):
        if message.role in SYSTEM_ROLES:
            continue
        if message.role == "user" or not found:
            found.append([])
        found[-1].append(place)
    return found


def fit(messages: Sequence[Message], count: Callable[[Sequence[Message]], int], n_ctx: int) -> Fit:
    """Leaves out as few of the oldest turns as it takes. `count` says how many tokens messages have; it is called
    some log2(turns) times."""
    limit = n_ctx - min(ROOM_FOR_ANSWER, n_ctx // 4)
    n_prompt = count(messages)
    if n_prompt <= limit:
        return Fit(n_prompt, n_ctx, (), n_prompt, True)
    oldest = turns(messages)[:-1]

    def without(n_turns: int) -> tuple[tuple[int, ...], int]:
        places = {place for turn in oldest[:n_turns] for place in turn}
        kept = [message for place, message in enumerate(messages) if place not in places]
        return tuple(sorted(places)), count(kept)

    low, high = 1, len(oldest)
    while low < high:
        middle = (low + high) // 2
        if without(middle)[1] <= limit:
            high = middle
        else:
            low = middle + 1
    left_out, n_kept = without(high) if oldest else ((), n_prompt)
    return Fit(n_prompt, n_ctx, left_out, n_kept, n_kept <= limit)
