"""Prepares messages and tools for chat templates that may not support tools.

Some templates show tools and past calls, some only past calls, some neither. What a template does not support is
written into the messages as plain text, in the syntax that the answer's parser reads. Tools therefore work with every
model.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from engine.errors import RequestError
from engine.output.json_schema import load_schema
from engine.output.tool_call_renderer import render_tool_calls
from engine.output.tool_call_syntax import OutputFormat
from engine.prompt.message_arrangement import SYSTEM_ROLES, system_in_first_user_message
from engine.requests import ChatRequest, Message, NamedTool, Tool, ToolCall

_NAME = re.compile(r"[\w.:/$-]{1,256}")
_NEEDS_SHORT_IDS = re.compile(r"length != 9")
_NO_SYSTEM = re.compile(r"[Ss]ystem (?:role|message)s? (?:is |are )?not supported")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_INSTRUCTIONS = """# Tools

You can call functions to help with the answer. These are the functions, each as a JSON object:
<tools>
{tools}
</tools>

To call a function, write this and nothing after it, with the function's name and its arguments filled in:
{sample}
The results then follow in <tool_response> tags. Where no function is needed, answer as usual."""


def offered_tools(request: ChatRequest) -> tuple[Tool, ...]:
    """The tools that are offered to the model; none if the tool choice is "none".

    Raises RequestError if the tools or the tool choice are invalid."""
    tools, choice = request.tools, request.tool_choice
    names = [tool.name for tool in tools]
    for tool in tools:
        if not _NAME.fullmatch(tool.name):
            raise RequestError("a tool's name is 1 to 256 letters, digits, and of _-.:/$")
        if names.count(tool.name) > 1:
            raise RequestError(f"there are two tools named {tool.name}")
        if not _is_object(tool.parameters):
            raise RequestError(f"the parameters of the tool {tool.name} are no JSON schema of an object")
    if choice == "required" and not tools:
        raise RequestError("a tool call is required, but there are no tools")
    if isinstance(choice, NamedTool) and choice.name not in names:
        raise RequestError(f"there is no tool named {choice.name}")
    return () if choice == "none" else tools


def _is_object(schema: str) -> bool:
    try:
        found = json.loads(schema)
    except (ValueError, RecursionError):
        return False
    if not isinstance(found, dict):
        return False
    kinds = found.get("type")
    return kinds in (None, "object") or (isinstance(kinds, list) and "object" in kinds)


def present_tools(
    messages: Sequence[Message], tools: Sequence[Tool], format: OutputFormat, template: str | None
) -> tuple[tuple[Message, ...], tuple[Tool, ...]]:
    """Returns messages that the template supports, and the tools that the template lists itself.

    `format`: the template's output format (see `detect_family`)."""
    result = tuple(messages)
    if not format.template_shows_tool_calls:
        result = _with_calls_as_text(result, format)
    if tools and not format.template_shows_tools:
        result = _with_tool_instructions(result, tools, format)
    if template and _NO_SYSTEM.search(template):
        result = system_in_first_user_message(result)
    if template and _NEEDS_SHORT_IDS.search(template):
        result = tuple(_with_short_ids(message) for message in result)
    return result, tuple(tools) if format.template_shows_tools else ()


def tool_object(tool: Tool) -> dict[str, object]:
    """A tool as chat templates expect it, which is OpenAI's format."""
    function = {"name": tool.name, "description": tool.description, "parameters": load_schema(tool.parameters)}
    return {"type": "function", "function": function}


def _with_tool_instructions(
    messages: tuple[Message, ...], tools: Sequence[Tool], format: OutputFormat
) -> tuple[Message, ...]:
    """Adds to the system message a list of the tools and the instructions for calling them."""
    sample = render_tool_calls(format.call_syntaxes[0], (ToolCall("0", "function-name", '{"argument-name": "value"}'),))
    shown = "\n".join(json.dumps(tool_object(tool)["function"], ensure_ascii=False) for tool in tools)
    text = _INSTRUCTIONS.replace("{sample}", sample).replace("{tools}", shown)
    if messages and messages[0].role in SYSTEM_ROLES:
        first = replace(messages[0], content=f"{messages[0].content}\n\n{text}")
        return (first, *messages[1:])
    return (Message("system", text), *messages)


def _with_calls_as_text(messages: tuple[Message, ...], format: OutputFormat) -> tuple[Message, ...]:
    """Replaces past calls by text in the model's syntax, and tool results by user messages."""
    result: list[Message] = []
    follows_result = False  # whether the last message in the new list holds tool results
    for message in messages:
        if message.tool_calls and format.call_syntaxes:
            text = render_tool_calls(format.call_syntaxes[0], message.tool_calls)
            content = f"{message.content}\n{text}" if message.content else text
            result.append(replace(message, content=content, tool_calls=()))
        elif message.role == "tool":
            text = f"<tool_response>\n{message.content}\n</tool_response>"
            if follows_result:
                text = f"{result.pop().content}\n{text}"
            result.append(Message("user", text))
        elif message.role == "user" and follows_result:  # many templates require alternating roles
            result.append(replace(message, content=f"{result.pop().content}\n\n{message.content}"))
        else:
            result.append(message)
        follows_result = message.role == "tool"
    return tuple(result)


def _with_short_ids(message: Message) -> Message:
    """Replaces call ids by ids of nine letters and digits, which Mistral's templates require. Equal ids stay equal."""
    calls = tuple(replace(call, id=_short_id(call.id)) for call in message.tool_calls)
    follows_result = _short_id(message.tool_call_id) if message.tool_call_id is not None else None
    return replace(message, tool_calls=calls, tool_call_id=follows_result)


def _short_id(id: str) -> str:
    if len(id) == 9 and id.isascii() and id.isalnum():
        return id
    number = int.from_bytes(hashlib.sha256(id.encode()).digest()[:8], "big")
    return "".join(_DIGITS[number // 62**place % 62] for place in range(9))


ArgumentForm = Literal["json", "text", "object"]
ARGUMENT_FORMS: tuple[ArgumentForm, ...] = ("json", "text", "object")
"""The forms in which templates expect the arguments of past calls, the most common first.

"json": parsed, or text if they are not JSON. "text": always text. "object": parsed, and always an object, even if the
arguments are incomplete."""


def message_object(message: Message, names: Mapping[str, str], form: ArgumentForm = "json") -> dict[str, object]:
    """A message as chat templates expect it. `names`: the names of the called tools, by call id."""
    result: dict[str, object] = {"role": message.role, "content": message.content}
    if message.reasoning is not None:
        result["reasoning_content"] = message.reasoning
        if not (message.tool_calls and message.content):  # gpt-oss rejects content and thinking in a message with calls
            result["thinking"] = message.reasoning
    if message.tool_calls:
        result["tool_calls"] = [_call_object(call, form) for call in message.tool_calls]
    if message.tool_call_id is not None:
        result["tool_call_id"] = message.tool_call_id
        if message.tool_call_id in names:
            result["name"] = names[message.tool_call_id]
    return result


def _call_object(call: ToolCall, form: ArgumentForm) -> dict[str, object]:
    arguments: object = call.arguments or "{}"
    if form != "text":
        try:
            arguments = json.loads(call.arguments or "{}")
        except (ValueError, RecursionError):
            arguments = call.arguments
        if form == "object" and not isinstance(arguments, dict):
            arguments = {"input": call.arguments}
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
