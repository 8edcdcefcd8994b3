"""Reads the conversation out of the body of a request of any API dialect. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from desktop.endpoint.errors import BodyUnreadable

Role = Literal["user", "assistant"]
_ROLES: Mapping[str, Role] = {"user": "user", "assistant": "assistant", "tool": "user", "function": "user"}


@dataclass(frozen=True, slots=True)
class RequestConversation:
    """The conversation of a request: `system` is the system prompt, `messages` are pairs of role and text, oldest
    first."""

    system: str
    messages: tuple[tuple[Role, str], ...]

    def with_answer(self, answer: str) -> RequestConversation:
        """A copy with `answer` appended as the last message; an empty answer is not appended."""
        return RequestConversation(self.system, (*self.messages, ("assistant", answer))) if answer else self


def conversation_in(body: str) -> RequestConversation:
    """The conversation in a request body. Raises BodyUnreadable if `body` is not JSON or has no message with text."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise BodyUnreadable from None
    if not isinstance(request, dict):
        raise BodyUnreadable
    system = [_text(request.get("system")), _text(request.get("instructions"))]
    messages: list[tuple[Role, str]] = []
    for role, text in _messages(request):
        if role in ("system", "developer"):
            system.append(text)
        elif text and (known_role := _ROLES.get(role)) is not None:
            messages.append((known_role, text))
    if not messages:
        raise BodyUnreadable
    return RequestConversation("\n\n".join(text for text in system if text), tuple(messages))


def _messages(request: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Role and text of each message. The messages are in the field `messages` in chat APIs, `input` in the Responses
    API, and `prompt` in the completions API."""
    for name in ("messages", "input"):
        items = request.get(name)
        if isinstance(items, str):
            yield "user", items
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict):
                yield _role(item), _text(item.get("content", item.get("output")))
    if isinstance(prompt := request.get("prompt"), str):
        yield "user", prompt


def _role(item: Mapping[str, object]) -> str:
    """The role of a message. In the Responses API, the result of a tool call has a `type` but no `role`."""
    if item.get("type") == "function_call_output":
        return "tool"
    return str(item.get("role", ""))


def _text(content: object) -> str:
    """The text of a message whose content is a string or a list of parts. Images and tool calls are omitted."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part.get("text", part.get("content")) if isinstance(part, dict) else part for part in content)
    return "\n".join(text for part in parts if (text := part if isinstance(part, str) else _text(part)))
