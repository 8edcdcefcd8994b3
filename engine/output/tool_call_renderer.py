"""Calls → text, as a format writes them: what a model would have said. Goes by the same samples as the parser."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.output.tool_call_syntax import SLOT, Calls
from engine.requests import ToolCall


def render_tool_calls(calls: Calls, made: Sequence[ToolCall]) -> str:
    """All calls of one answer. Arguments that are no JSON object are written as they are, where that can be."""
    opening, closing = calls.section
    if "{list}" in calls.call:
        return calls.call.replace("{list}", "[" + ", ".join(_envelope(calls, call) for call in made) + "]")
    if "{python}" in calls.call:
        return calls.call.replace("{python}", ", ".join(map(_python, made)))
    return opening + calls.between.join(_one(calls, call) for call in made) + closing


def _one(calls: Calls, call: ToolCall) -> str:
    return SLOT.sub(lambda slot: _filling(slot[1], calls, call), calls.call)


def _filling(slot: str, calls: Calls, call: ToolCall) -> str:
    match slot:
        case "name":
            return call.name
        case "id":
            return call.id
        case "json":
            return call.arguments or "{}"
        case "envelopes":
            return _envelope(calls, call)
        case "parameters":
            return _parameters(calls.parameter, call)
        case "relaxed":
            return _relaxed(_object(call), calls.quote)
        case _:
            return "function"


def _envelope(calls: Calls, call: ToolCall) -> str:
    before, after = calls.envelope.split("{json}")
    return before.replace("{id}", call.id).replace("{name}", call.name) + (call.arguments or "{}") + after


def _parameters(sample: str, call: ToolCall) -> str:
    return "".join(_parameter(sample, key, value) for key, value in _object(call).items())


def _parameter(sample: str, key: str, value: object) -> str:
    text = value if isinstance(value, str) else _json(value)
    head, slot, tail = sample.partition("{value}")
    if not slot:
        head, _, tail = sample.partition("{cdata}")
        text = f"<![CDATA[{text}]]>" if isinstance(value, str) and set(text) & set("<&\n") else text
    return head.replace("{key}", key).replace("{string}", _json(isinstance(value, str))) + text + tail


def _python(call: ToolCall) -> str:
    return f"{call.name}({', '.join(f'{key}={_literal(value)}' for key, value in _object(call).items())})"


def _literal(value: object) -> str:
    match value:
        case None | bool():
            return str(value)
        case dict():
            return "{" + ", ".join(f"{_json(key)}: {_literal(one)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_literal, value)) + "]"
        case _:
            return _json(value)


def _relaxed(value: object, quote: str) -> str:
    match value:
        case dict():
            return "{" + ",".join(f"{key}:{_relaxed(one, quote)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ",".join(_relaxed(one, quote) for one in value) + "]"
        case str():
            return quote + value + quote
        case _:
            return _json(value)


def _object(call: ToolCall) -> dict[str, object]:
    try:
        value = json.loads(call.arguments or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
