"""Messages, from OpenAI's words to the engine's."""

from __future__ import annotations

import json
from collections.abc import Mapping

from api.errors import BadRequest, UnsupportedParameter
from api.fields.content import named, text_of_file
from api.openai.chat.schemas import ChatMessage
from engine.requests import Message, ToolCall

ROLES: Mapping[str, str] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


def message(given: ChatMessage, path: str) -> Message:
    """`path` names it in errors. Raises BadRequest, UnsupportedParameter."""
    role = ROLES.get(given.role)
    if role is None:
        raise UnsupportedParameter(f"{path}.role", f"Messages of the role '{given.role[:40]}' are not supported.")
    calls = _calls(given, path) if role == "assistant" else ()
    read = result_text if role == "tool" else text_of
    return Message(
        role,
        read(given.content, f"{path}.content"),
        calls,
        _answered_call(given, path) if role == "tool" else None,
        (given.reasoning_content or given.reasoning) if role == "assistant" else None,
    )


def text_of(content: object, path: str) -> str:
    """A content's text: a string, nothing, or parts. Raises BadRequest, UnsupportedParameter."""
    match content:
        case None:
            return ""
        case str():
            return content
        case list():
            return "\n".join(_part_text(part, f"{path}[{i}]") for i, part in enumerate(content))
    raise BadRequest(f"'{path}' must be a string, null, or a list of parts.", path)


def result_text(content: object, path: str) -> str:
    """The text of a tool's result. A tool returns what it has, images too, and its result stays in the conversation:
    what is no text becomes a note, so that the conversation can go on. Raises BadRequest."""
    if not isinstance(content, list):
        return text_of(content, path)
    return "\n".join(
        left_out_note(kind) if (kind := unreadable_kind(part)) else _part_text(part, f"{path}[{i}]")
        for i, part in enumerate(content)
    )


def unreadable_kind(part: object) -> str | None:
    """What a part of a content is, where it is no text."""
    match part:
        case {"type": str(kind)} if kind not in _TEXTS:
            try:
                _part_text(part, "")
            except UnsupportedParameter:
                return kind
    return None


def left_out_note(kind: str) -> str:
    what = "An image" if "image" in kind else f"Content of the type {kind[:40]}"
    return f"[{what} was left out: only text is read here.]"


_TEXTS = frozenset(("text", "input_text", "output_text", "refusal"))


def _part_text(part: object, path: str) -> str:
    match part:
        case {"type": "text" | "input_text" | "output_text", "text": str(text)}:
            return text
        case {"type": "refusal", "refusal": str(text)}:
            return text
        case {"type": "file", "file": {"file_data": str(data), **more}}:
            return named(more.get("filename"), text_of_file(data, "", path))
        case {"type": "input_file", "file_data": str(data), **more}:
            return named(more.get("filename"), text_of_file(data, "", path))
        case {"type": "text" | "input_text" | "output_text" | "refusal"}:
            raise BadRequest(f"'{path}' has no text.", path)
        case {"type": str(kind)}:
            raise UnsupportedParameter(path, f"Content of the type '{kind[:40]}' is not supported; send text.")
    raise BadRequest(f"'{path}' must be an object with a type.", path)


def _calls(given: ChatMessage, path: str) -> tuple[ToolCall, ...]:
    match given.function_call:
        case {"name": str(name), "arguments": str(arguments)}:
            return (ToolCall(legacy_id(name), name, arguments),)
        case None:
            pass
        case _:
            raise BadRequest(f"'{path}.function_call' needs a name and arguments.", f"{path}.function_call")
    if given.tool_calls is None:
        return ()
    if not isinstance(given.tool_calls, list):
        raise BadRequest(f"'{path}.tool_calls' must be a list.", f"{path}.tool_calls")
    return tuple(_call(call, f"{path}.tool_calls[{i}]") for i, call in enumerate(given.tool_calls))


def _call(call: object, path: str) -> ToolCall:
    match call:
        case {"id": str(id), "function": {"name": str(name), "arguments": str(arguments)}}:
            return ToolCall(id, name, arguments)
        case {"id": str(id), "type": "custom", "custom": {"name": str(name), "input": str(text)}}:
            return ToolCall(id, name, json.dumps({"input": text}, ensure_ascii=False))
        case {"type": str(kind)} if kind != "function":
            raise UnsupportedParameter(path, f"A call of the type '{kind[:40]}' is not supported.")
    raise BadRequest(f"'{path}' needs an id, and a function with a name and with arguments as a string.", path)


def _answered_call(given: ChatMessage, path: str) -> str:
    if given.tool_call_id is not None:
        return given.tool_call_id
    if given.role == "function" and given.name is not None:
        return legacy_id(given.name)
    raise BadRequest(f"'{path}.tool_call_id' is missing: which call does it answer?", f"{path}.tool_call_id")


def legacy_id(name: str) -> str:
    """Calls had no id in OpenAI's first way of calling functions."""
    return f"call_{name}"
