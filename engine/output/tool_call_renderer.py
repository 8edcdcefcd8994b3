"""Renders past tool calls in a model's own syntax, from the same templates that the parser uses."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.output.tool_call_syntax import SLOT, ToolCallSyntax
from engine.requests import ToolCall


def render_tool_calls(syntax: ToolCallSyntax, tool_calls: Sequence[ToolCall]) -> str:
    """The text of all tool calls of one answer.

    Arguments that are not a JSON object are written unchanged if the syntax allows it."""
    opening, closing = syntax.section
    if "{list}" in syntax.call:
        return syntax.call.replace("{list}", "[" + ", ".join(_envelope(syntax, call) for call in tool_calls) + "]")
    if "{python}" in syntax.call:
        return syntax.call.replace("{python}", ", ".join(map(_python_call, tool_calls)))
    return opening + syntax.separator.join(_call_text(syntax, call) for call in tool_calls) + closing


def _call_text(syntax: ToolCallSyntax, call: ToolCall) -> str:
    return SLOT.sub(lambda slot: _slot_text(slot[1], syntax, call), syntax.call)


def _slot_text(slot: str, syntax: ToolCallSyntax, call: ToolCall) -> str:
    match slot:
        case "name":
            return call.name
        case "id":
            return call.id
        case "json":
            return call.arguments or "{}"
        case "envelopes":
            return _envelope(syntax, call)
        case "parameters":
            return _parameters(syntax.parameter, call)
        case "relaxed":
            return _lenient_object(_arguments(call), syntax.quote)
        case _:
            return "function"


def _envelope(syntax: ToolCallSyntax, call: ToolCall) -> str:
    before, after = syntax.envelope.split("{json}")
    return before.replace("{id}", call.id).replace("{name}", call.name) + (call.arguments or "{}") + after


def _parameters(sample: str, call: ToolCall) -> str:
    return "".join(_parameter(sample, key, value) for key, value in _arguments(call).items())


def _parameter(sample: str, key: str, value: object) -> str:
    text = value if isinstance(value, str) else _json(value)
    head, slot, tail = sample.partition("{value}")
    if not slot:
        head, _, tail = sample.partition("{cdata}")
        text = f"<![CDATA[{text}]]>" if isinstance(value, str) and set(text) & set("<&\n") else text
    return head.replace("{key}", key).replace("{string}", _json(isinstance(value, str))) + text + tail


def _python_call(call: ToolCall) -> str:
    return f"{call.name}({', '.join(f'{key}={_python_value(value)}' for key, value in _arguments(call).items())})"


def _python_value(value: object) -> str:
    match value:
        case None | bool():
            return str(value)
        case dict():
            return "{" + ", ".join(f"{_json(key)}: {_python_value(one)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_python_value, value)) + "]"
        case _:
            return _json(value)


def _lenient_object(value: object, quote: str) -> str:
    match value:
        case dict():
            return "{" + ",".join(f"{key}:{_lenient_object(one, quote)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ",".join(_lenient_object(one, quote) for one in value) + "]"
        case str():
            return quote + value + quote
        case _:
            return _json(value)


def _arguments(call: ToolCall) -> dict[str, object]:
    try:
        value = json.loads(call.arguments or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
