"""Determines whether a message fits into the context, and which turns would be left out. Qt-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from desktop.chat.prompt import PromptPart, prompt_parts
from desktop.store.records import ChatMessage, ChatSettings
from engine.prompt.context_fit import ContextFit

SPARE_PER_MESSAGE = 64
"""Upper estimate of the tokens that a chat template adds to one message."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn that would be left out of the prompt: a question and its answers."""

    first_line: str
    rows: tuple[ChatMessage, ...]


@dataclass(frozen=True, slots=True)
class Overflow:
    """Why a message cannot be sent. Kind "turns": the chat is too long, so its oldest turns would be left out. Kind
    "message": the message is too long even without the oldest turns."""

    kind: Literal["turns", "message"]
    n_prompt: int
    n_ctx: int
    n_left_out: int = 0
    """Number of tokens of the turns that would be left out."""
    turns: tuple[Turn, ...] = ()
    has_instructions: bool = False
    is_estimate: bool = False
    """Whether the numbers of tokens are estimated from the length of the texts."""

    @property
    def last_row_id(self) -> str:
        """Id of the last message in the turns to leave out or to summarise."""
        return self.turns[-1].rows[-1].id


def find_overflow(branch: Sequence[ChatMessage], settings: ChatSettings, fit: ContextFit) -> Overflow | None:
    """The reason why the last message of `branch` cannot be sent; None if it can be sent. `fit` must be computed from
    `unmerged_messages(branch, settings)`."""
    if not fit.left_out and fit.fits:
        return None
    parts = prompt_parts(branch, settings)
    has_instructions = bool(settings.system.strip())
    if not fit.fits:
        return Overflow("message", fit.n_kept, fit.n_ctx, has_instructions=has_instructions)
    if settings.leaves_out:
        return None
    turns = _turns([parts[place] for place in fit.left_out])
    return Overflow("turns", fit.n_prompt, fit.n_ctx, fit.n_prompt - fit.n_kept, turns, has_instructions)


def certainly_fits(branch: Sequence[ChatMessage], settings: ChatSettings, n_ctx: int) -> bool:
    """Whether the prompt fits into half of the context even if every byte is a token.

    The check is fast for branches of any length, because the count ends when it exceeds half of the context."""
    n_free = n_ctx // 2 - _n_bytes(settings.system) - _n_bytes(settings.summary) - SPARE_PER_MESSAGE
    for row in reversed(branch):
        n_free -= SPARE_PER_MESSAGE + sum(len(each.text) for each in row.attachments)
        if n_free < len(row.text):
            return False
        n_free -= _n_bytes(row.text)
        n_free -= sum(
            _n_bytes(each.text) - len(each.text) + len(each.name) + SPARE_PER_MESSAGE for each in row.attachments
        )
    return n_free >= 0


def _n_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _turns(left_out: Sequence[PromptPart]) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    for part in left_out:
        if part.message.role == "user" or not turns:
            turns.append(Turn(_first_line(part), part.rows))
        else:
            turns[-1] = Turn(turns[-1].first_line, turns[-1].rows + part.rows)
    return tuple(turns)


def _first_line(part: PromptPart) -> str:
    """First line of the question. If the question has no text, the names of its attachments."""
    for row in part.rows:
        for line in row.text.splitlines():
            if line.strip():
                return " ".join(line.split())
    return ", ".join(attachment.name for row in part.rows for attachment in row.attachments)
