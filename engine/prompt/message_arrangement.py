"""Rearranges messages for chat templates that accept fewer roles or orders than clients send.

Some templates reject a second or a late system message. Some require user and assistant messages to alternate. Some
silently drop messages that they do not expect. No text may be lost, so messages are merged and moved instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from engine.requests import Message

SYSTEM_ROLES = ("system", "developer")


def with_supported_roles(messages: Sequence[Message], template: str | None) -> tuple[Message, ...]:
    """Replaces the role "developer" by "system" unless the template mentions "developer"."""
    if "developer" in (template or ""):
        return tuple(messages)
    return tuple(replace(each, role="system") if each.role == "developer" else each for each in messages)


def arrangements(messages: Sequence[Message]) -> Iterator[tuple[Message, ...]]:
    """Different lists of messages with the same text, in the order in which to try them.

    The first is the given list, the last is one that every template accepts."""
    seen: list[tuple[Message, ...]] = []
    joined = one_system_message(messages)
    for each in (tuple(messages), joined, alternating(joined), alternating(system_in_first_user_message(joined))):
        if each not in seen:
            seen.append(each)
            yield each


def required_system_texts(messages: Sequence[Message]) -> list[str]:
    """The texts of system messages that the caller must look for in the rendered prompt, because the template may drop
    them.

    A single system message at the start needs no check, because no template drops it."""
    texts = [message.content.strip() for message in messages if message.role in SYSTEM_ROLES]
    first_only = len(texts) == 1 and messages[0].role in SYSTEM_ROLES
    return [] if first_only else texts


def one_system_message(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Joins all system messages in order and puts them first."""
    system = [message for message in messages if message.role in SYSTEM_ROLES]
    others = [message for message in messages if message.role not in SYSTEM_ROLES]
    if not system:
        return tuple(others)
    text = "\n\n".join(message.content for message in system if message.content)
    return (Message(system[0].role, text), *others)


def alternating(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Joins consecutive messages of the same role. Inserts an empty user message if an assistant message comes
    first."""
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


def system_in_first_user_message(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Moves the text of all system messages to the start of the first user message."""
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
