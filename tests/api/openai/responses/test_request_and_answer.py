"""Translation between the responses API and the engine. Streams are compared byte by byte."""

from __future__ import annotations

import json

import pytest

from api.answer import AnswerBuilder
from api.errors import BadRequest, UnsupportedParameter
from api.openai.responses.answer import ResponsesEventWriter, ResponsesMeta, whole_response
from api.openai.responses.request import Item, parse_items, responses_request
from api.openai.responses.schemas import ResponsesBody
from engine.errors import EngineDead
from engine.events import (
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    Timings,
    TokenChoice,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from engine.requests import ChatRequest, Constraint, Message, NamedTool, Sampling, Tool, ToolCall

TIMINGS = Timings(0.0, 0.25, 0.5, 0.25)


def finished(reason: str) -> Finished:
    assert reason in ("stop", "length", "tool_calls")
    return Finished(reason, Usage(9, 4, 2), TIMINGS)  # type: ignore[arg-type]


def body(**fields: object) -> ResponsesBody:
    return ResponsesBody.model_validate_json(json.dumps({"input": "Hi", **fields}))


def request(**fields: object) -> ChatRequest:
    given = body(**fields)
    return responses_request(given, parse_items(given.input), "1")


def meta(**fields: object) -> ResponsesMeta:
    return ResponsesMeta("1", 5, "alias", body(**fields), request(**fields))


def events(*messages: Event, **fields: object) -> tuple[str, list[Item]]:
    kept: list[Item] = []
    writer = ResponsesEventWriter(meta(**fields), kept.append)
    return b"".join(writer.frames(0, event) for event in messages).decode(), kept


def parsed(wire: str) -> list[Item]:
    names = [line[7:] for line in wire.splitlines() if line.startswith("event: ")]
    found = [json.loads(line[6:]) for line in wire.splitlines() if line.startswith("data: ")]
    assert [each["type"] for each in found] == names
    assert [each["sequence_number"] for each in found] == list(range(len(found)))
    return found


SHELL = (
    '{{"id":"resp_1","object":"response","created_at":5,"status":"{status}","background":false,"error":null,'
    '"incomplete_details":null,"instructions":null,"max_output_tokens":null,"model":"alias","output":{output},'
    '"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{{"effort":null,"summary":null}},"store":true,'
    '"temperature":0.8,"text":{{"format":{{"type":"text"}}}},"tool_choice":"auto","tools":[],"top_p":0.95,'
    '"truncation":"disabled","usage":{usage},"metadata":{{}}{timings}}}'
)
MEASURED = (
    ',"timings":{"cache_n":4,"prompt_n":5,"prompt_ms":250.0,"prompt_per_token_ms":50.0,"prompt_per_second":20.0,'
    '"predicted_n":2,"predicted_ms":500.0,"predicted_per_token_ms":250.0,"predicted_per_second":4.0}'
)
USAGE = (
    '{"input_tokens":9,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":0},"output_tokens":2,'
    '"output_tokens_details":{"reasoning_tokens":0},"total_tokens":11}'
)


def test_streamed_text_matches_expected_bytes() -> None:
    wire, kept = events(Started(9, 4), TextDelta("Hel", 1), TextDelta("lo", 1), finished("stop"))
    opened = SHELL.format(status="in_progress", output="[]", usage="null", timings="")
    closed = SHELL.format(status="completed", output="[%s]", usage=USAGE, timings=MEASURED)
    part = '{"type":"output_text","text":"%s","annotations":[],"logprobs":[]}'
    item = '{"id":"msg_1_0","type":"message","status":"%s","role":"assistant","content":[%s]}'
    done = item % ("completed", part % "Hello")
    at = '"item_id":"msg_1_0","output_index":0'
    lines = [
        ("response.created", f'"response":{opened}'),
        ("response.in_progress", f'"response":{opened}'),
        ("response.output_item.added", f'"output_index":0,"item":{item % ("in_progress", "")}'),
        ("response.content_part.added", f'{at},"content_index":0,"part":{part % ""}'),
        ("response.output_text.delta", f'{at},"delta":"Hel","content_index":0,"logprobs":[]'),
        ("response.output_text.delta", f'{at},"delta":"lo","content_index":0,"logprobs":[]'),
        ("response.output_text.done", f'{at},"content_index":0,"text":"Hello","logprobs":[]'),
        ("response.content_part.done", f'{at},"content_index":0,"part":{part % "Hello"}'),
        ("response.output_item.done", f'"output_index":0,"item":{done}'),
        ("response.completed", f'"response":{closed % done}'),
    ]
    assert wire == "".join(
        f'event: {name}\ndata: {{"type":"{name}","sequence_number":{number},{rest}}}\n\n'
        for number, (name, rest) in enumerate(lines)
    )
    assert kept == [parsed(wire)[-1]["response"]]


MIXED: tuple[Event, ...] = (
    Started(9, 4),
    ReasoningDelta("Hm.", 2),
    TextDelta("Look:", 1),
    ToolCallStarted(0, "call_a", "f"),
    ToolCallDelta(0, '{"a":'),
    ToolCallDelta(0, "1}"),
    ToolCallStarted(1, "call_b", "g"),
    ToolCallDelta(1, "{}"),
    finished("tool_calls"),
)


def test_reasoning_and_text_and_tool_calls_are_streamed_as_output_items() -> None:
    found = parsed(events(*MIXED)[0])
    assert [each["type"] for each in found[2:]] == [
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_text.delta",
        "response.reasoning_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]
    done = [each for each in found if each["type"] == "response.function_call_arguments.done"]
    assert done[0] == {
        "type": "response.function_call_arguments.done",
        "sequence_number": done[0]["sequence_number"],
        "item_id": "fc_1_2",
        "output_index": 2,
        "name": "f",
        "arguments": '{"a":1}',
    }


def test_whole_and_streamed_responses_are_equal() -> None:
    for messages in (MIXED, (Started(9, 4), TextDelta("a", 1), finished("stop")), (Started(9, 4), finished("stop"))):
        builder = AnswerBuilder()
        answers = [answer for event in messages if (answer := builder.add(event)) is not None]
        assert whole_response(meta(), answers[0]) == events(*messages)[1][0]


def test_truncated_answer_has_status_incomplete() -> None:
    last = parsed(events(Started(9, 4), TextDelta("a", 1), finished("length"))[0])[-1]
    assert last["type"] == "response.incomplete"
    shown = last["response"]
    assert isinstance(shown, dict)
    assert shown["incomplete_details"] == {"reason": "max_output_tokens"}
    assert shown["output"][0]["status"] == "incomplete"


def test_error_during_stream_is_sent_as_failed_event() -> None:
    wire, kept = events(Started(9, 4), TextDelta("a", 1), Failed(EngineDead("/home/me/x.gguf")))
    last = parsed(wire)[-1]
    shown = last["response"]
    assert isinstance(shown, dict)
    assert (last["type"], shown["status"]) == ("response.failed", "failed")
    assert shown["error"]["code"] == "server_error"
    assert "gguf" not in wire
    assert kept == []


def test_logprobs_are_sent_in_delta_and_done_events() -> None:
    wire, _ = events(Started(9, 4), TextDelta("a", 1, (TokenChoice(b"a", -0.5),)), finished("stop"))
    entry = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}
    found = {each["type"]: each for each in parsed(wire)}
    assert found["response.output_text.delta"]["logprobs"] == [entry]
    assert found["response.output_text.done"]["logprobs"] == [entry]


def test_body_fields_are_translated_to_engine_request() -> None:
    result = request(
        instructions="Be kind.",
        temperature=0,
        top_p=0.5,
        max_output_tokens=7,
        reasoning={"effort": "low", "summary": "auto"},
        include=["message.output_text.logprobs"],
        top_logprobs=3,
        truncation="auto",
        service_tier="auto",
    )
    assert result == ChatRequest(
        (Message("system", "Be kind."), Message("user", "Hi")),
        "endpoint",
        Sampling(temperature=0.0, top_p=0.5),
        effort="low",
        max_tokens=7,
        n_logprobs=3,
        id="1",
    )


def test_items_of_one_turn_become_one_message() -> None:
    messages: list[Item] = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Look:"}]},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "b", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "1"},
        {"type": "function_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "2"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "So."}]},
        {"type": "message", "role": "assistant", "content": "Three."},
        {"type": "message", "role": "assistant", "content": "Four."},
    ]
    assert request(input=messages).messages == (
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("assistant", "Look:", (ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}")), reasoning="Hm."),
        Message("tool", "1", tool_call_id="a"),
        Message("tool", "2", tool_call_id="b"),
        Message("assistant", "Three.", reasoning="So."),
        Message("assistant", "Four."),
    )


def test_tools_of_unsupported_types_are_ignored() -> None:
    """Codex sends tools of such types with every turn."""
    tools = [
        {"type": "custom", "name": "apply_patch"},
        {"type": "web_search"},
        {"type": "function", "name": "f", "parameters": {"$defs": {}}, "strict": True},
        {"type": "namespace", "tools": []},
    ]
    result = request(tools=tools, tool_choice={"type": "function", "name": "f"})
    assert (result.tools, result.tool_choice) == ((Tool("f", "", '{"$defs": {}}'),), NamedTool("f"))
    assert not result.parallel_tool_calls  # an answer calls a named tool only once
    assert not request(tools=tools, parallel_tool_calls=False).parallel_tool_calls
    assert request(tools=tools).parallel_tool_calls
    assert request(tools=tools[:2]).tools == ()


NAMESPACE = {
    "type": "namespace",
    "name": "mcp__demo",
    "description": "A demo.",
    "tools": [
        {"type": "function", "name": "lookup", "description": "L.", "parameters": {"$defs": {}}},
        {"type": "custom", "name": "skipped"},
    ],
}


def test_namespaced_functions_have_flat_names_only_in_the_engine_request() -> None:
    tools = [NAMESPACE, {"type": "namespace", "name": "other__", "tools": [{"type": "function", "name": "g"}]}]
    result = request(tools=tools)
    assert result.tools == (Tool("mcp__demo__lookup", "L.", '{"$defs": {}}'), Tool("other__g"))
    call = (ToolCallStarted(0, "c1", "mcp__demo__lookup"), ToolCallDelta(0, "{}"), finished("tool_calls"))
    wire, kept = events(Started(9, 4), *call, tools=tools)
    output = kept[0]["output"]
    assert isinstance(output, list)
    item = output[0]
    assert (item["name"], item["namespace"], item["call_id"]) == ("lookup", "mcp__demo", "c1")
    assert kept[0]["tools"] == tools
    value = [each for each in parsed(wire) if each["type"] == "response.function_call_arguments.done"]
    assert (value[0]["name"], value[0]["namespace"]) == ("lookup", "mcp__demo")
    builder = AnswerBuilder()
    (whole,) = [answer for each in (Started(9, 4), *call) if (answer := builder.add(each))]
    assert whole_response(meta(tools=tools), whole)["output"] == kept[0]["output"]


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "function", "name": "lookup", "namespace": "mcp__demo"},
        {"type": "function", "name": "lookup"},
        {"type": "function", "name": "mcp__demo__lookup"},
    ],
)
def test_tool_choice_can_name_a_namespaced_function(choice: dict[str, object]) -> None:
    assert request(tools=[NAMESPACE], tool_choice=choice).tool_choice == NamedTool("mcp__demo__lookup")


def test_tool_calls_of_every_type_in_history_become_messages() -> None:
    items = [
        {"role": "user", "content": "Go."},
        {"type": "function_call", "call_id": "a", "name": "lookup", "namespace": "mcp__demo", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "1"},
        {"type": "custom_tool_call", "call_id": "b", "name": "apply_patch", "input": '*** "x"'},
        {"type": "custom_tool_call_output", "call_id": "b", "output": "2"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}},
        {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["ls"]}},
        {"type": "local_shell_call_output", "call_id": "c", "output": "3"},
        {"type": "mcp_call", "id": "d", "name": "find", "arguments": "{}", "output": "4", "server_label": "s"},
        {"type": "mcp_list_tools", "id": "e", "tools": []},
        {"type": "compaction", "encrypted_content": "xyz"},
        {"role": "user", "content": "On."},
    ]
    messages = request(input=items).messages
    assert [message.role for message in messages] == [
        "user", "assistant", "tool", "assistant", "tool", "assistant", "tool", "assistant", "tool", "user", "user",
    ]  # fmt: skip
    calls = [call for message in messages for call in message.tool_calls]
    assert calls == [
        ToolCall("a", "mcp__demo__lookup", "{}"),
        ToolCall("b", "apply_patch", '{"input": "*** \\"x\\""}'),
        ToolCall("c", "local_shell", '{"type": "exec", "command": ["ls"]}'),
        ToolCall("d", "find", "{}"),
    ]
    assert [message.content for message in messages if message.role == "tool"] == ["1", "2", "3", "4"]
    assert "compacted" in messages[-2].content


def test_llama_cpp_sampling_parameters_are_accepted() -> None:
    assert request(top_k=3, min_p=0.2, seed=4).sampling == Sampling(top_k=3, min_p=0.2, seed=4)


def test_json_schema_format_is_not_strict_by_default() -> None:
    described = {"type": "json_schema", "name": "a", "schema": {"type": "object"}}
    for fields in ({}, {"strict": False}, {"strict": None}):
        result = request(text={"format": {**described, **fields}})
        assert result.constraint == Constraint("json_schema", '{"type": "object"}', strict=False)


def test_text_formats_become_constraints() -> None:
    described = {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True}
    assert request(text={"format": described}).constraint == Constraint("json_schema", '{"type": "object"}')
    assert request(text={"format": {"type": "json_object"}}).constraint == Constraint("json_object")
    assert request(text={"format": {"type": "text"}, "verbosity": "low"}).constraint is None


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": None}, "input"),
        ({"input": [3]}, "input[0]"),
        ({"input": [{}]}, "input[0]"),
        ({"input": [{"role": "wizard", "content": "a"}]}, "input[0].role"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0]"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
        ({"input": [{"type": "custom_tool_call", "name": "f"}]}, "input[0]"),
        ({"context_management": [{"type": "compaction"}]}, "context_management"),
        ({"grammar": 'root ::= "a"'}, "grammar"),
        ({"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "function"}]}]}, "tools[0].tools[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0]"),
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
    ],
)
def test_error_for_unsupported_value_names_the_field(fields: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        request(**fields)
    assert caught.value.param == param


def test_image_in_input_is_refused() -> None:
    with pytest.raises(UnsupportedParameter):
        request(input=[{"role": "user", "content": [{"type": "input_image", "image_url": "file:///etc/passwd"}]}])
