"""Items of a conversation, in the responses API's words → the engine's messages."""

from __future__ import annotations

import json
from collections.abc import Sequence

from api.errors import BadRequest, UnsupportedParameter
from api.openai.chat.messages import ROLES, result_text, text_of
from engine.requests import Message, ToolCall

Item = dict[str, object]

CALLS = frozenset(("function_call", "custom_tool_call", "local_shell_call", "mcp_call"))
OUTPUTS = frozenset(("function_call_output", "custom_tool_call_output", "local_shell_call_output"))
SAYS_NOTHING = frozenset(
    ("web_search_call", "file_search_call", "image_generation_call", "code_interpreter_call", "mcp_list_tools")
)
"""Traces of tools that another server ran: what they found is in the answer that follows."""
COMPACTED = "[Another server has compacted an earlier part of this conversation; it cannot be read here.]"

_SEPARATOR = "__"


def flat_name(namespace: object, name: str) -> str:
    """By which the model knows a function of a namespace, since templates know no namespaces."""
    if not isinstance(namespace, str) or not namespace:
        return name
    return f"{namespace}{name}" if namespace.endswith(_SEPARATOR) else f"{namespace}{_SEPARATOR}{name}"


def items_of(given: str | list[object] | None) -> list[Item]:
    """A call's input as items. Raises BadRequest."""
    if given is None:
        return []
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    for at, item in enumerate(given):
        if not isinstance(item, dict):
            raise BadRequest(f"'input[{at}]' must be an object.", f"input[{at}]")
    return [item for item in given if isinstance(item, dict)]


def messages(items: Sequence[Item]) -> list[Message]:
    """What belongs to one turn of the model (reasoning, text, calls) becomes one. Raises BadRequest,
    UnsupportedParameter."""
    reader = _Reader()
    for at, item in enumerate(items):
        reader.add(item, f"input[{at}]")
    reader.end_turn()
    return reader.said


class _Reader:
    def __init__(self) -> None:
        self.said: list[Message] = []
        self._text: str | None = None
        self._thoughts: list[str] = []
        self._calls: list[ToolCall] = []

    def add(self, item: Item, path: str) -> None:
        match item:
            case {"type": "function_call", "call_id": str(id), "name": str(name), "arguments": str(arguments)}:
                self._calls.append(ToolCall(id, flat_name(item.get("namespace"), name), arguments))
            case {"type": "custom_tool_call", "call_id": str(id), "name": str(name), "input": str(text)}:
                arguments = json.dumps({"input": text}, ensure_ascii=False)
                self._calls.append(ToolCall(id, flat_name(item.get("namespace"), name), arguments))
            case {"type": "local_shell_call", "call_id": str(id), "action": dict(action)}:
                self._calls.append(ToolCall(id, "local_shell", json.dumps(action, ensure_ascii=False)))
            case {"type": "mcp_call", "name": str(name), "arguments": str(arguments)}:
                self._add_finished_call(item, name, arguments)
            case {"type": str(kind)} if kind in SAYS_NOTHING:
                pass
            case {"type": "compaction" | "compaction_summary"}:
                self.end_turn()
                self.said.append(Message("user", COMPACTED))
            case {"type": str(kind), "call_id": str(id)} if kind in OUTPUTS:
                self.end_turn()
                self.said.append(Message("tool", result_text(item.get("output"), f"{path}.output"), tool_call_id=id))
            case {"type": "reasoning"}:
                if self._text is not None or self._calls:
                    self.end_turn()
                self._thoughts += _thoughts(item)
            case {"type": str(kind)} if kind in OUTPUTS or kind in CALLS:
                raise BadRequest(f"'{path}' is no whole {kind}.", path)
            case {"role": str(role)} if item.get("type") in (None, "message"):
                self._add_message(role, item.get("content"), path)
            case {"type": str(kind)}:
                raise UnsupportedParameter(path, f"Items of the type '{kind[:40]}' are not supported.")
            case _:
                raise BadRequest(f"'{path}' must have a type or a role.", path)

    def _add_finished_call(self, item: Item, name: str, arguments: str) -> None:
        """A call that another server made itself: its result is part of the item."""
        id = str(item.get("id") or f"call_{len(self.said)}")
        result = item.get("output") or item.get("error")
        self._calls.append(ToolCall(id, name, arguments))
        self.end_turn()
        self.said.append(Message("tool", result if isinstance(result, str) else "", tool_call_id=id))

    def _add_message(self, role: str, content: object, path: str) -> None:
        if role not in ROLES or role in ("tool", "function"):
            raise UnsupportedParameter(f"{path}.role", f"Messages of the role '{role[:40]}' are not supported.")
        text = text_of(content, f"{path}.content")
        if role == "assistant":
            if self._text is not None or self._calls:
                self.end_turn()
            self._text = text
        else:
            self.end_turn()
            self.said.append(Message(ROLES[role], text))

    def end_turn(self) -> None:
        """Makes one message of what the model said until here."""
        if self._text is not None or self._calls:
            thoughts = "\n".join(self._thoughts) or None
            self.said.append(Message("assistant", self._text or "", tuple(self._calls), reasoning=thoughts))
        self._text, self._thoughts, self._calls = None, [], []


def _thoughts(item: Item) -> list[str]:
    """Reasoning's text; what is encrypted is of another server, and says nothing here."""
    found = []
    for name in ("content", "summary"):
        parts = item.get(name)
        for part in parts if isinstance(parts, list) else ():
            match part:
                case {"text": str(text)}:
                    found.append(text)
        if found:
            break
    return found
