"""Rearranges the turns of a chat for templates that accept fewer roles or orders than clients send.

Some templates reject a second system message, or one that is not the first; some require user and assistant to
alternate; some silently drop what they do not expect. No text may be lost, so the turns are rearranged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from engine.requests import Message

SYSTEM_ROLES = ("system", "developer")


def known_roles(messages: Sequence[Message], template: str | None) -> tuple[Message, ...]:
    """The messages with the role "developer" replaced by "system", unless the template mentions it."""
    if "developer" in (template or ""):
        return tuple(messages)
    return tuple(replace(each, role="system") if each.role == "developer" else each for each in messages)


def arrangements(messages: Sequence[Message]) -> Iterator[tuple[Message, ...]]:
    """Equivalent lists of messages, from the given one to one that every template accepts. Each comes once."""
    seen: list[tuple[Message, ...]] = []
    joined = one_system_message(messages)
    for each in (tuple(messages), joined, alternating(joined), alternating(within_first_user(joined))):
        if each not in seen:
            seen.append(each)
            yield each


def system_texts(messages: Sequence[Message]) -> list[str]:
    """Texts that must appear in the prompt: of system messages, unless there is only one and it comes first, which no
    template drops."""
    texts = [message.content.strip() for message in messages if message.role in SYSTEM_ROLES]
    first_only = len(texts) == 1 and messages[0].role in SYSTEM_ROLES
    return [] if first_only else texts


def one_system_message(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with all system messages joined, in their order, and put first."""
    system = [message for message in messages if message.role in SYSTEM_ROLES]
    others = [message for message in messages if message.role not in SYSTEM_ROLES]
    if not system:
        return tuple(others)
    text = "\n\n".join(message.content for message in system if message.content)
    return (Message(system[0].role, text), *others)


def alternating(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with consecutive turns of one role joined, and a user's turn first."""
    found: list[Message] = []
    for message in messages:
        before = found[-1] if found else None
        if message.role == "assistant" and (before is None or before.role in SYSTEM_ROLES):
            found.append(Message("user", ""))
        elif before is not None and before.role == message.role and message.role in ("user", "assistant"):
            found[-1] = _merged(before, message)
            continue
        found.append(message)
    return tuple(found)


def within_first_user(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with the system's text at the beginning of the first turn of the user."""
    system = "\n\n".join(message.content for message in messages if message.role in SYSTEM_ROLES)
    others = [message for message in messages if message.role not in SYSTEM_ROLES]
    first = next((n for n, message in enumerate(others) if message.role == "user"), None)
    if system and first is None:
        others.insert(0, Message("user", system))
    elif system and first is not None:
        others[first] = replace(others[first], content=f"{system}\n\n{others[first].content}")
    return tuple(others)


def _merged(first: Message, second: Message) -> Message:
    return replace(
        first,
        content="\n\n".join(text for text in (first.content, second.content) if text),
        tool_calls=(*first.tool_calls, *second.tool_calls),
        reasoning="\n\n".join(text for text in (first.reasoning, second.reasoning) if text) or None,
    )
