"""Translation between Anthropic's messages API and the engine. Streams are compared byte by byte."""

from __future__ import annotations

import json

import pytest

from api.answer import AnswerBuilder
from api.anthropic.answer import MessageMeta, MessageWriter, message
from api.anthropic.request import messages_request
from api.anthropic.schemas import MessagesBody
from api.errors import BadRequest
from engine.errors import EngineDead
from engine.events import (
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    Timings,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from engine.requests import ChatRequest, Constraint, Message, NamedTool, Sampling, Tool, ToolCall

META = MessageMeta("msg_1", "alias")
TIMINGS = Timings(0.0, 0.25, 0.5, 0.25)
USAGE = Usage(9, 4, 2)


def request(**fields: object) -> ChatRequest:
    given = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5, **fields}
    return messages_request(MessagesBody.model_validate_json(json.dumps(given)), "1")


def stream(*events: Event) -> str:
    writer = MessageWriter(META)
    return b"".join(writer.frames(0, event) for event in events).decode()


OPENED = (
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",'
    '"model":"alias","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,'
    '"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":0}}}\n\n'
)


def closed(reason: str) -> str:
    return (
        f'event: message_delta\ndata: {{"type":"message_delta","delta":{{"stop_reason":"{reason}",'
        '"stop_sequence":null},"usage":{"output_tokens":2}}\n\n'
        'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )


def start(index: int, block: str) -> str:
    data = f'{{"type":"content_block_start","index":{index},"content_block":{block}}}'
    return f"event: content_block_start\ndata: {data}\n\n"


def delta(index: int, what: str) -> str:
    return f'event: content_block_delta\ndata: {{"type":"content_block_delta","index":{index},"delta":{what}}}\n\n'


def stop(index: int) -> str:
    return f'event: content_block_stop\ndata: {{"type":"content_block_stop","index":{index}}}\n\n'


def test_streamed_text_matches_expected_bytes() -> None:
    events = (Started(9, 4), TextDelta("Hel", 1), TextDelta("lo", 1), Finished("stop", USAGE, TIMINGS))
    assert stream(*events) == (
        OPENED
        + start(0, '{"type":"text","text":""}')
        + delta(0, '{"type":"text_delta","text":"Hel"}')
        + delta(0, '{"type":"text_delta","text":"lo"}')
        + stop(0)
        + closed("end_turn")
    )


THOUGHTFUL: tuple[Event, ...] = (
    Started(9, 4),
    ReasoningDelta("Hm.", 1),
    TextDelta("Look:", 1),
    ToolCallStarted(0, "toolu_1", "f"),
    ToolCallDelta(0, '{"a":'),
    ToolCallDelta(0, "1}"),
    ToolCallStarted(1, "toolu_2", "g"),
    Finished("tool_calls", USAGE, TIMINGS),
)


def test_stream_of_reasoning_and_text_and_tool_calls_matches_expected_bytes() -> None:
    assert stream(*THOUGHTFUL) == (
        OPENED
        + start(0, '{"type":"thinking","thinking":"","signature":""}')
        + delta(0, '{"type":"thinking_delta","thinking":"Hm."}')
        + delta(0, '{"type":"signature_delta","signature":""}')
        + stop(0)
        + start(1, '{"type":"text","text":""}')
        + delta(1, '{"type":"text_delta","text":"Look:"}')
        + stop(1)
        + start(2, '{"type":"tool_use","id":"toolu_1","name":"f","input":{}}')
        + delta(2, '{"type":"input_json_delta","partial_json":"{\\"a\\":"}')
        + delta(2, '{"type":"input_json_delta","partial_json":"1}"}')
        + stop(2)
        + start(3, '{"type":"tool_use","id":"toolu_2","name":"g","input":{}}')
        + stop(3)
        + closed("tool_use")
    )


def test_empty_answer_is_streamed_as_one_empty_text_block() -> None:
    wire = stream(Started(9, 4), Finished("length", USAGE, TIMINGS))
    assert wire == OPENED + start(0, '{"type":"text","text":""}') + stop(0) + closed("max_tokens")


def test_error_during_stream_is_sent_as_error_event() -> None:
    wire = stream(Started(9, 4), Failed(EngineDead("/home/me/x.gguf broke")))
    assert wire == OPENED + (
        'event: error\ndata: {"type":"error","error":{"type":"overloaded_error",'
        '"message":"The engine has stopped; the model must be loaded again."},"request_id":"req_1"}\n\n'
    )
    assert "event: error" in stream(Started(9, 4), Finished("cancelled", USAGE, TIMINGS))


def test_whole_answer_has_blocks_for_reasoning_and_text_and_tool_calls() -> None:
    builder = AnswerBuilder()
    answers = [answer for event in THOUGHTFUL if (answer := builder.add(event)) is not None]
    assert message(META, answers[0]) == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "alias",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": ""},
            {"type": "text", "text": "Look:"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
            {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 5,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 4,
            "output_tokens": 2,
        },
    }


def test_body_fields_are_translated_to_engine_request() -> None:
    result = request(
        system=[{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        temperature=1,
        top_p=0.5,
        top_k=0,
        stop_sequences=["END", ""],
        metadata={"user_id": "x"},
    )
    assert result == ChatRequest(
        (Message("system", "Be kind."), Message("user", "Hi")),
        "endpoint",
        Sampling(temperature=1.0, top_p=0.5, top_k=0),
        max_tokens=5,
        stop=("END",),
        id="1",
    )


def test_answer_continues_last_assistant_message() -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hel"}]
    result = request(messages=messages)
    assert (result.messages, result.answer_start) == ((Message("user", "Hi"),), "Hel")


def test_tool_calls_and_results_become_messages() -> None:
    messages = [
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": ""},
                {"type": "redacted_thinking", "data": "x"},
                {"type": "text", "text": "Look:"},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"ort": "Zürich"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "And?"},
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "4"}]},
            ],
        },
    ]
    assert request(messages=messages).messages == (
        Message("assistant", "Look:", (ToolCall("t1", "f", '{"ort": "Zürich"}'),), reasoning="Hm."),
        Message("tool", "4", tool_call_id="t1"),
        Message("user", "And?"),
    )


@pytest.mark.parametrize(
    ("choice", "expected", "parallel"),
    [
        (None, "auto", True),
        ({"type": "auto", "disable_parallel_tool_use": True}, "auto", False),
        ({"type": "any"}, "required", True),
        ({"type": "any", "disable_parallel_tool_use": True}, "required", False),
        ({"type": "tool", "name": "f"}, NamedTool("f"), False),
    ],
)
def test_tools_and_tool_choice_are_translated_to_engine_request(
    choice: object, expected: object, parallel: bool
) -> None:
    result = request(tools=[{"name": "f", "description": "F.", "input_schema": {"$defs": {}}}], tool_choice=choice)
    assert result.tools == (Tool("f", "F.", '{"$defs": {}}'),)
    assert (result.tool_choice, result.parallel_tool_calls) == (expected, parallel)


def test_thinking_and_output_format_are_translated_to_engine_request() -> None:
    assert request(thinking={"type": "enabled", "budget_tokens": 1024}).thinking is True
    assert request(thinking={"type": "disabled"}).thinking is False
    output = {"effort": "max", "format": {"type": "json_schema", "schema": {"type": "object"}}}
    result = request(output_config=output)
    assert (result.effort, result.constraint) == ("high", Constraint("json_schema", '{"type": "object"}'))
    assert request(tools=[{"name": "f"}], tool_choice={"type": "none"}).tools == ()
    earlier = request(output_format={"type": "json_schema", "schema": {"type": "object"}})
    assert earlier.constraint == result.constraint
    assert request(min_p=0.2, seed=4, top_k=3).sampling == Sampling(min_p=0.2, seed=4, top_k=3)


def test_history_blocks_of_tools_run_by_anthropic_are_ignored() -> None:
    turn = [
        {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "tide"}},
        {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"type": "web_search_result"}]},
        {"type": "code_execution_tool_result", "tool_use_id": "srv_2", "content": {"stdout": "4"}},
        {"type": "text", "text": "High tide is at four."},
    ]
    messages = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": turn},
        {"role": "user", "content": "?"},
    ]
    assert request(messages=messages).messages[1] == Message("assistant", "High tide is at four.")


def test_mcp_calls_in_history_become_tool_calls_with_results() -> None:
    turn = [
        {"type": "text", "text": "I look."},
        {"type": "mcp_tool_use", "id": "m_1", "name": "tide", "server_name": "sea", "input": {"day": 1}},
        {"type": "mcp_tool_result", "tool_use_id": "m_1", "content": [{"type": "text", "text": "at four"}]},
        {"type": "text", "text": "At four."},
    ]
    messages = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": turn},
        {"role": "user", "content": "?"},
    ]
    assert request(messages=messages).messages[1:4] == (
        Message("assistant", "I look.", (ToolCall("m_1", "tide", '{"day": 1}'),)),
        Message("tool", "at four", tool_call_id="m_1"),
        Message("assistant", "At four."),
    )


def test_compaction_summary_becomes_text_of_assistant_message() -> None:
    turn = [{"type": "compaction", "content": "They spoke of tides."}]
    messages = [{"role": "assistant", "content": turn}, {"role": "user", "content": "And now?"}]
    assert request(messages=messages).messages[0] == Message("assistant", "They spoke of tides.")


def test_billing_line_of_claude_code_is_removed_from_system_prompt() -> None:
    billed = "x-anthropic-billing-header: cc_version=2.1; cch=a1b2c;\nBe kind."
    assert request(system=billed).messages[0] == Message("system", "Be kind.")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{"role": "wizard", "content": "a"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_use"}]}]}, "messages[0].content[0]"),
        ({"tools": [{"name": "web_search", "type": "web_search_20250305"}]}, "tools[0].type"),
        ({"tools": [{"name": "f"}], "tool_choice": {"type": "tool", "name": "g"}}, "tool_choice"),
        ({"tools": [{"name": "f"}], "tool_choice": {"type": "tool"}}, "tool_choice"),
        ({"thinking": {"type": "some"}}, "thinking.type"),
        ({"output_config": {"effort": "huge"}}, "output_config.effort"),
        ({"output_format": {"type": "text"}}, "output_format"),
        ({"container": "c_1"}, "container"),
        ({"mcp_servers": [{"type": "url"}]}, "mcp_servers"),
        ({"grammar": 'root ::= "a"'}, "grammar"),
        ({"guided_choice": ["a"]}, "guided_choice"),
    ],
)
def test_error_for_unsupported_value_names_the_field(fields: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        request(**fields)
    assert caught.value.param == param
