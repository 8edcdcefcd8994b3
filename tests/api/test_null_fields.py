"""In a body, the value null is treated like an absent field, at every depth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from api.body import Body
from api.openapi import BODIES
from tests.api.live_endpoint import Live

NEEDED: dict[str, dict[str, object]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hi"}]},
    "/v1/completions": {"prompt": "a"},
    "/v1/embeddings": {"input": "a"},
    "/v1/responses": {"input": "a"},
    "/v1/messages": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 50},
    "/v1/messages/count_tokens": {"messages": [{"role": "user", "content": "Hi"}]},
    "/api/chat": {},
    "/api/generate": {},
    "/api/show": {},
    "/api/embed": {"input": "a"},
    "/api/embeddings": {"prompt": "a"},
    "/tokenize": {"content": "a"},
    "/detokenize": {"tokens": [97]},
    "/infill": {"input_prefix": "a", "input_suffix": "b"},
    "/completion": {"prompt": "a"},
}


def shapes(root: type[Body] = Body) -> Iterator[type[Body]]:
    for shape in root.__subclasses__():
        yield shape
        yield from shapes(shape)


def optional_fields(shape: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in shape.model_fields.items() if not field.is_required()]


def test_null_is_accepted_for_every_optional_field() -> None:
    found = sorted(set(shapes()), key=lambda shape: shape.__name__)
    assert set(BODIES.values()) <= set(found)
    for shape in found:
        for name, field in shape.model_fields.items():
            if not field.is_required():
                adapter = TypeAdapter[Any](field.rebuild_annotation())
                value = f"{shape.__name__}.{name}"
                assert adapter.validate_json("null") == field.get_default(call_default_factory=True), value


@pytest.mark.parametrize("path", NEEDED)
def test_null_fields_in_body_do_not_change_which_fields_the_answer_has(endpoint: Live, path: str) -> None:
    nulls = {name: None for name in optional_fields(BODIES[path]) if name not in NEEDED[path]}
    answer = endpoint.post({**nulls, **NEEDED[path]}, path)
    assert answer.status_code == 200, answer.text
    plain = endpoint.post(NEEDED[path], path)
    assert [json.loads(line).keys() for line in answer.text.splitlines()] == [
        json.loads(line).keys() for line in plain.text.splitlines()
    ]


def nulls(shape: Any, **given: object) -> dict[str, object]:
    """Returns the fields of a client's type, with null for each field that is not given."""
    return {**dict.fromkeys(shape.__annotations__), **given}


def bodies_of_clients() -> Iterator[tuple[str, dict[str, object]]]:
    """Yields bodies made from the official clients' own types, with nulls at each level."""
    from anthropic import types as claude
    from anthropic.types.message_create_params import MessageCreateParamsBase
    from ollama._types import ChatRequest, Message, Options
    from openai.types import chat, responses
    from openai.types.chat.completion_create_params import CompletionCreateParamsBase
    from openai.types.responses.response_create_params import ResponseCreateParamsBase

    call = {"id": "c1", "type": "function", "index": None, "function": {"name": "f", "arguments": "{}"}}
    tool = {"type": "function", "function": {"name": "f", "description": None, "parameters": None, "strict": None}}
    answers = [
        nulls(chat.ChatCompletionUserMessageParam, role="user", content="Hi"),
        nulls(chat.ChatCompletionAssistantMessageParam, role="assistant", tool_calls=[call]),
        nulls(chat.ChatCompletionToolMessageParam, role="tool", content="x", tool_call_id="c1"),
    ]
    yield "/v1/chat/completions", nulls(CompletionCreateParamsBase, messages=answers, tools=[tool])

    items = [
        {"type": "message", "id": None, "status": None, "role": "user", "content": "Hi"},
        nulls(responses.ResponseFunctionToolCallParam, type="function_call", call_id="c1", name="f", arguments="{}"),
        {"type": "function_call_output", "id": None, "status": None, "call_id": "c1", "output": "x"},
    ]
    offered = [nulls(responses.FunctionToolParam, type="function", name="f")]
    text = {"format": {"type": "text", "name": None, "schema": None}, "verbosity": None}
    yield "/v1/responses", nulls(ResponseCreateParamsBase, input=items, tools=offered, text=text)

    text_block = nulls(claude.TextBlockParam, type="text", text="Hi")
    turns: list[object] = [
        {"role": "user", "content": [text_block]},
        {
            "role": "assistant",
            "content": [nulls(claude.ToolUseBlockParam, type="tool_use", id="t", name="f", input={})],
        },
        {"role": "user", "content": [nulls(claude.ToolResultBlockParam, type="tool_result", tool_use_id="t")]},
    ]
    known = [nulls(claude.ToolParam, name="f", input_schema={"type": "object"})]
    yield "/v1/messages", nulls(MessageCreateParamsBase, messages=turns, tools=known, system=[text_block], max_tokens=9)

    talk = [
        nulls(Message, role="user", content="Hi"),
        nulls(Message, role="assistant", tool_calls=[{"function": {"name": "f", "arguments": None}}]),
        nulls(Message, role="tool", content="x"),
    ]
    yield "/api/chat", nulls(ChatRequest, messages=talk, tools=[tool], options=nulls(Options))


def test_null_is_accepted_in_nested_fields(endpoint: Live) -> None:
    for path, body in bodies_of_clients():
        answer = endpoint.post(body, path)
        assert answer.status_code == 200, (path, answer.text)
