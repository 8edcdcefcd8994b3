"""Reasoning and tool calls over HTTP in every dialect, parsed from the fake model's text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.live_endpoint import Live, live
from tests.engine.output.chat_templates import TEMPLATES
from tests.fakes import FakeOpener, Script

TEMPLATE = TEMPLATES["hermes"] + "{# <think> #}"
ANSWER = '<think>Hm.</think><tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
FUNCTION = {"name": "get_weather", "description": "The weather.", "parameters": PARAMETERS}
ARGUMENTS = {"city": "Oslo"}
MESSAGES: list[Any] = [{"role": "user", "content": "Is it cold?"}]


@pytest.fixture(scope="module")
def tool_calling_endpoint() -> Iterator[Live]:
    with live(FakeOpener(Script(ANSWER.encode(), template=TEMPLATE))) as endpoint:
        yield endpoint


def test_openai_chat_returns_reasoning_and_tool_calls(tool_calling_endpoint: Live) -> None:
    tools: list[Any] = [{"type": "function", "function": FUNCTION}]
    with tool_calling_endpoint.openai() as client:
        choice = client.chat.completions.create(model="x", messages=MESSAGES, tools=tools).choices[0]
        chunks = list(client.chat.completions.create(model="x", messages=MESSAGES, tools=tools, stream=True))
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert choice.message.reasoning_content == "Hm."  # type: ignore[attr-defined]
    assert choice.message.tool_calls is not None
    call: Any = choice.message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", ARGUMENTS)
    deltas: list[Any] = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert [delta.function.name for delta in deltas] == ["get_weather"] + [None] * (len(deltas) - 1)
    assert json.loads("".join(delta.function.arguments for delta in deltas)) == ARGUMENTS
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_openai_responses_return_reasoning_and_tool_calls(tool_calling_endpoint: Live) -> None:
    tools: list[Any] = [{"type": "function", "strict": False, **FUNCTION}, {"type": "web_search"}]
    with tool_calling_endpoint.openai() as client:
        whole = client.responses.create(model="x", input="Is it cold?", tools=tools)
        with client.responses.stream(model="x", input="Is it cold?", tools=tools) as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_response()
    for response in (whole, final):
        assert [item.type for item in response.output] == ["reasoning", "function_call"]
        called: Any = response.output[1]
        assert (called.name, json.loads(called.arguments)) == ("get_weather", ARGUMENTS)
    assert "response.reasoning_text.done" in kinds
    assert "response.function_call_arguments.done" in kinds


def test_anthropic_messages_return_reasoning_and_tool_calls(tool_calling_endpoint: Live) -> None:
    body = {
        "max_tokens": 99,
        "messages": MESSAGES,
        "tools": [{"name": "get_weather", "description": "The weather.", "input_schema": PARAMETERS}],
    }
    whole = tool_calling_endpoint.post(body, "/v1/messages").json()
    assert [block["type"] for block in whole["content"]] == ["thinking", "tool_use"]
    assert (whole["content"][1]["input"], whole["stop_reason"]) == (ARGUMENTS, "tool_use")
    wire = tool_calling_endpoint.post({**body, "stream": True}, "/v1/messages").text
    events = [json.loads(line[6:]) for line in wire.splitlines() if line.startswith("data: ")]
    assert json.loads("".join(event.get("delta", {}).get("partial_json", "") for event in events)) == ARGUMENTS


def test_ollama_chat_returns_reasoning_and_tool_calls(tool_calling_endpoint: Live) -> None:
    body = {"messages": MESSAGES, "tools": [{"type": "function", "function": FUNCTION}]}
    whole = tool_calling_endpoint.post({**body, "stream": False}, "/api/chat").json()["message"]
    assert whole["thinking"] == "Hm."
    assert whole["tool_calls"][0]["function"] == {"index": 0, "name": "get_weather", "arguments": ARGUMENTS}
    lines = [json.loads(line) for line in tool_calling_endpoint.post(body, "/api/chat").text.splitlines()]
    calls = [call for line in lines for call in line["message"].get("tool_calls", ())]
    assert [call["function"]["arguments"] for call in calls] == [ARGUMENTS]


def test_tool_call_and_result_in_history_give_the_same_prompt_in_every_dialect(tool_calling_endpoint: Live) -> None:
    """The prompts are compared by their number of tokens."""
    arguments = json.dumps(ARGUMENTS)
    tool = {"type": "function", "function": FUNCTION}
    call = {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    chat = {
        "messages": [
            *MESSAGES,
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": "4"},
        ],
        "tools": [tool],
    }
    shown = tool_calling_endpoint.post(chat, "/apply-template").json()["prompt"]
    assert "get_weather" in shown
    assert "Oslo" in shown
    n_tokens = len(shown)
    blocks = [
        *MESSAGES,
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "get_weather", "input": ARGUMENTS}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "4"}]},
    ]
    tools = [{"name": "get_weather", "description": "The weather.", "input_schema": PARAMETERS}]
    counted = tool_calling_endpoint.post({"messages": blocks, "tools": tools}, "/v1/messages/count_tokens").json()
    assert counted == {"input_tokens": n_tokens}
    items = [
        *MESSAGES,
        {"type": "function_call", "call_id": "a", "name": "get_weather", "arguments": arguments},
        {"type": "function_call_output", "call_id": "a", "output": "4"},
    ]
    responses = {"input": items, "tools": [{"type": "function", **FUNCTION}]}
    assert tool_calling_endpoint.post(responses, "/v1/responses/input_tokens").json()["input_tokens"] == n_tokens
    ollama = [
        *MESSAGES,
        {"role": "assistant", "tool_calls": [{"function": {"name": "get_weather", "arguments": ARGUMENTS}}]},
        {"role": "tool", "tool_name": "get_weather", "content": "4"},
    ]
    answer = tool_calling_endpoint.post({"messages": ollama, "tools": [tool], "stream": False}, "/api/chat").json()
    assert answer["prompt_eval_count"] == n_tokens
