"""A branch of a chat and its settings → the messages that the model reads. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from desktop.chat.attachments.file_kinds import language_of
from desktop.store.records import Attachment, ChatMessage, ChatSettings
from engine.requests import Message

SUMMARY = "Summary of the conversation up to here:"
"""Read by the model, so it is not translated."""

_FENCES = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True)
class Part:
    """One message of the prompt, and the rows of the branch that it was made of; none for the system message."""

    message: Message
    rows: tuple[ChatMessage, ...] = ()


def prompt_for(
    branch: Sequence[ChatMessage], settings: ChatSettings, left_out: Collection[int] = ()
) -> tuple[Message, ...]:
    """What the model is to read. `left_out` are places in `parts`, as `Fit.left_out` of `prompt_messages_of` names
    them.
    O(branch), for a long one on a pool thread.

    Messages of one role in a row become one, because many chat templates refuse them."""
    kept = [message for place, message in enumerate(prompt_messages_of(branch, settings)) if place not in left_out]
    return tuple(_merged([*group]) for _, group in groupby(kept, key=lambda message: message.role))


def prompt_messages_of(branch: Sequence[ChatMessage], settings: ChatSettings) -> tuple[Message, ...]:
    """The messages of `parts`: each question by itself, so that one without an answer can be left out."""
    return tuple(part.message for part in parts(branch, settings))


def parts(branch: Sequence[ChatMessage], settings: ChatSettings) -> list[Part]:
    """The prompt with where it comes from: the system message, then what is not covered by the summary, without empty
    answers."""
    after = summarised_rows(branch, settings)
    system = _system(settings, after > 0)
    texts = ((row, with_attachments(row.text, row.attachments)) for row in branch[after:])
    said = [Part(Message(row.role, text), (row,)) for row, text in texts if text]
    return [Part(Message("system", system)), *said] if system else said


def _merged(messages: Sequence[Message]) -> Message:
    return Message(messages[0].role, "\n\n".join(message.content for message in messages))


def summarised_rows(branch: Sequence[ChatMessage], settings: ChatSettings) -> int:
    """How many rows of this branch the summary stands for; 0 where it is of another branch."""
    if not settings.summary:
        return 0
    return next((place for place, row in enumerate(branch, 1) if row.id == settings.summarised_to), 0)


def with_attachments(text: str, attachments: Sequence[Attachment]) -> str:
    """The files, each named and fenced, then the words."""
    return "\n\n".join([*map(fenced, attachments), *([text] if text else [])])


def fenced(attachment: Attachment) -> str:
    """The file as a code block with its name; the fence is longer than any within."""
    longest = max((len(fence) for fence in _FENCES.findall(attachment.text)), default=2)
    fence = "`" * (longest + 1)
    end = "" if attachment.text.endswith("\n") else "\n"
    return f"{attachment.name}:\n{fence}{language_of(attachment.name)}\n{attachment.text}{end}{fence}"


def _system(settings: ChatSettings, summarised: bool) -> str:
    """One message, since most chat templates take only one from the system."""
    summary = f"{SUMMARY}\n{settings.summary}" if summarised else ""
    return "\n\n".join(part for part in (settings.system.strip(), summary) if part)
