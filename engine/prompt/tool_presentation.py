"""Messages and tools → what a chat template can show of them.

Templates differ in what they know: some show tools and past calls, some only past calls, some neither. What a
template does not know is said in text, in the way that its model is read (engine/output/tool_call_syntax.py). So
tools work
with any model.
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
from engine.prompt.message_arrangement import SYSTEM_ROLES, within_first_user
from engine.requests import ChatRequest, Message, NamedTool, Tool, ToolCall

_NAME = re.compile(r"[\w.:/$-]{1,256}")
_NINE = re.compile(r"length != 9")
_NO_SYSTEM = re.compile(r"[Ss]ystem (?:role|message)s? (?:is |are )?not supported")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_INTRODUCTION = """# Tools

You can call functions to help with the answer. These are the functions, each as a JSON object:
<tools>
{tools}
</tools>

To call a function, write this and nothing after it, with the function's name and its arguments filled in:
{sample}
The results then follow in <tool_response> tags. Where no function is needed, answer as usual."""


def offered(request: ChatRequest) -> tuple[Tool, ...]:
    """The tools that the model gets to see. Raises RequestError where they, or the choice among them, make no sense."""
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


def prepare(
    messages: Sequence[Message], tools: Sequence[Tool], format: OutputFormat, template: str | None
) -> tuple[tuple[Message, ...], tuple[Tool, ...]]:
    """What to render: messages without anything that the template does not know, and the tools that it shows itself.
    `format` is the template's (engine.output.model_families.detect)."""
    told = tuple(messages)
    if not format.template_shows_tool_calls:
        told = _as_text(told, format)
    if tools and not format.template_shows_tools:
        told = _introduced(told, tools, format)
    if template and _NO_SYSTEM.search(template):
        told = within_first_user(told)
    if template and _NINE.search(template):
        told = tuple(_with_short_ids(message) for message in told)
    return told, tuple(tools) if format.template_shows_tools else ()


def tool_object(tool: Tool) -> dict[str, object]:
    """A tool as templates know it, and as OpenAI's API writes it."""
    function = {"name": tool.name, "description": tool.description, "parameters": load_schema(tool.parameters)}
    return {"type": "function", "function": function}


def _introduced(messages: tuple[Message, ...], tools: Sequence[Tool], format: OutputFormat) -> tuple[Message, ...]:
    """With a system message that shows the tools and how to call one."""
    sample = render_tool_calls(format.calls[0], (ToolCall("0", "function-name", '{"argument-name": "value"}'),))
    shown = "\n".join(json.dumps(tool_object(tool)["function"], ensure_ascii=False) for tool in tools)
    text = _INTRODUCTION.replace("{sample}", sample).replace("{tools}", shown)
    if messages and messages[0].role in SYSTEM_ROLES:
        first = replace(messages[0], content=f"{messages[0].content}\n\n{text}")
        return (first, *messages[1:])
    return (Message("system", text), *messages)


def _as_text(messages: tuple[Message, ...], format: OutputFormat) -> tuple[Message, ...]:
    """With past calls as the model would write them, and results as the user's words."""
    told: list[Message] = []
    answered = False  # the message before holds results
    for message in messages:
        if message.tool_calls and format.calls:
            text = render_tool_calls(format.calls[0], message.tool_calls)
            content = f"{message.content}\n{text}" if message.content else text
            told.append(replace(message, content=content, tool_calls=()))
        elif message.role == "tool":
            result = f"<tool_response>\n{message.content}\n</tool_response>"
            if answered:
                result = f"{told.pop().content}\n{result}"
            told.append(Message("user", result))
        elif message.role == "user" and answered:  # many templates want the roles to alternate
            told.append(replace(message, content=f"{told.pop().content}\n\n{message.content}"))
        else:
            told.append(message)
        answered = message.role == "tool"
    return tuple(told)


def _with_short_ids(message: Message) -> Message:
    """Mistral's templates refuse ids of calls that are not nine letters and digits. The same id gives the same."""
    calls = tuple(replace(call, id=_short(call.id)) for call in message.tool_calls)
    answered = _short(message.tool_call_id) if message.tool_call_id is not None else None
    return replace(message, tool_calls=calls, tool_call_id=answered)


def _short(id: str) -> str:
    if len(id) == 9 and id.isascii() and id.isalnum():
        return id
    number = int.from_bytes(hashlib.sha256(id.encode()).digest()[:8], "big")
    return "".join(_DIGITS[number // 62**place % 62] for place in range(9))


ArgumentForm = Literal["json", "text", "object"]
ARGUMENT_FORMS: tuple[ArgumentForm, ...] = ("json", "text", "object")
"""How templates want the arguments of past calls, the most usual first: as JSON says, with a text for what is no JSON;
as text; as JSON that is always an object, also where the model was cut off within the arguments."""


def message_object(message: Message, names: Mapping[str, str], form: ArgumentForm = "json") -> dict[str, object]:
    """A message as templates know it. `names` are the tools of past calls by their ids."""
    told: dict[str, object] = {"role": message.role, "content": message.content}
    if message.reasoning is not None:
        told["reasoning_content"] = message.reasoning
        if not (message.tool_calls and message.content):  # gpt-oss's template refuses both beside a call
            told["thinking"] = message.reasoning
    if message.tool_calls:
        told["tool_calls"] = [_call_object(call, form) for call in message.tool_calls]
    if message.tool_call_id is not None:
        told["tool_call_id"] = message.tool_call_id
        if message.tool_call_id in names:
            told["name"] = names[message.tool_call_id]
    return told


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
