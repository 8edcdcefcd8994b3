"""The conversation in a request's body, whatever the dialect. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from desktop.endpoint.errors import BodyUnreadable

Side = Literal["user", "assistant"]
_SIDES: Mapping[str, Side] = {"user": "user", "assistant": "assistant", "tool": "user", "function": "user"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a tool asked: its instructions, and what was said so far, the oldest first, by turns."""

    system: str
    messages: tuple[tuple[Side, str], ...]

    def answered(self, answer: str) -> Asked:
        """With the answer as far as it is known; "" adds nothing."""
        return Asked(self.system, (*self.messages, ("assistant", answer))) if answer else self


def read(body: str) -> Asked:
    """Raises BodyUnreadable where there is no conversation in it."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise BodyUnreadable from None
    if not isinstance(found, dict):
        raise BodyUnreadable
    system = [_text(found.get("system")), _text(found.get("instructions"))]
    said: list[tuple[Side, str]] = []
    for role, text in _turns(found):
        if role in ("system", "developer"):
            system.append(text)
        elif text and (side := _SIDES.get(role)) is not None:
            said.append((side, text))
    if not said:
        raise BodyUnreadable
    return Asked("\n\n".join(text for text in system if text), tuple(said))


def _turns(body: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Chat, Messages and Ollama's chat hold `messages`, Responses `input`, what goes on from a text `prompt`."""
    for name in ("messages", "input"):
        turns = body.get(name)
        if isinstance(turns, str):
            yield "user", turns
        for turn in turns if isinstance(turns, list) else ():
            if isinstance(turn, dict):
                yield _role(turn), _text(turn.get("content", turn.get("output")))
    if isinstance(prompt := body.get("prompt"), str):
        yield "user", prompt


def _role(turn: Mapping[str, object]) -> str:
    """The items of Responses that are no messages have a type in the place of a role."""
    if turn.get("type") == "function_call_output":
        return "tool"
    return str(turn.get("role", ""))


def _text(content: object) -> str:
    """Text, or the texts of a list of parts; pictures and calls are left out."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part.get("text", part.get("content")) if isinstance(part, dict) else part for part in content)
    return "\n".join(text for part in parts if (text := part if isinstance(part, str) else _text(part)))
