"""Messages and tools → the objects that a chat template knows."""

from __future__ import annotations

import json
from collections.abc import Mapping

from engine.requests import Message, Tool, ToolCall


def tool_object(tool: Tool) -> dict[str, object]:
    """A tool as templates know it, and as OpenAI's API writes it."""
    function = {"name": tool.name, "description": tool.description, "parameters": json.loads(tool.parameters)}
    return {"type": "function", "function": function}


def message_object(message: Message, names: Mapping[str, str], *, arguments_as_text: bool) -> dict[str, object]:
    """A message as templates know it. `names` are the tools of past calls by their ids."""
    told: dict[str, object] = {"role": message.role, "content": message.content}
    if message.reasoning is not None:
        told["reasoning_content"] = message.reasoning
        if not (message.tool_calls and message.content):  # gpt-oss's template refuses both beside a call
            told["thinking"] = message.reasoning
    if message.tool_calls:
        told["tool_calls"] = [_call_object(call, arguments_as_text) for call in message.tool_calls]
    if message.tool_call_id is not None:
        told["tool_call_id"] = message.tool_call_id
        if message.tool_call_id in names:
            told["name"] = names[message.tool_call_id]
    return told


def _call_object(call: ToolCall, arguments_as_text: bool) -> dict[str, object]:
    arguments: object = call.arguments or "{}"
    if not arguments_as_text:
        try:
            arguments = json.loads(call.arguments or "{}")
        except ValueError:
            arguments = call.arguments
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
