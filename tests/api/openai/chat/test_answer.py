"""Translation of the engine's events to chat completions. Streams are compared byte by byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.answer import Answer, AnswerBuilder
from api.errors import RequestStopped
from api.fields.usage import timings
from api.model_routes import anthropic_list, model_object
from api.openai.chat.answer import ChatChunkWriter, ResponseMeta, ResponseOptions, completion
from engine.errors import ContextOverflow, EngineDead
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
from tests.fakes import FakeBackend, FakeOpener, Script

META = ResponseMeta("chatcmpl-1", 1, "alias")
USAGE = Usage(n_prompt=9, n_cached=4, n_output=2)
TIMINGS = Timings(queue_s=0.5, prefill_s=0.25, decode_s=0.5, first_token_s=0.75)
FINISHED = Finished("stop", USAGE, TIMINGS)

MEASURED = (
    '"timings":{"cache_n":4,"prompt_n":5,"prompt_ms":250.0,"prompt_per_token_ms":50.0,"prompt_per_second":20.0,'
    '"predicted_n":2,"predicted_ms":500.0,"predicted_per_token_ms":250.0,"predicted_per_second":4.0}'
)
COUNTED = (
    '"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":4}}'
)
START = '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"alias","choices":'


def stream(*events: Event, include_usage: bool = False) -> str:
    writer = ChatChunkWriter(META, ResponseOptions(include_usage))
    return b"".join(writer.frames(0, event) for event in events).decode()


def many(options: ResponseOptions, *events: tuple[int, Event]) -> list[dict[str, object]]:
    writer = ChatChunkWriter(META, options)
    wire = b"".join(writer.frames(index, event) for index, event in events).decode()
    assert wire.endswith("data: [DONE]\n\n")
    return [json.loads(line[6:]) for line in wire.splitlines() if line.startswith("data: {")]


def test_streamed_text_matches_expected_bytes() -> None:
    assert stream(Started(9, 4), TextDelta("Hel", 1), TextDelta("lo", 1), FINISHED) == (
        f'data: {START}[{{"index":0,"delta":{{"role":"assistant","content":null}},"finish_reason":null}}]}}\n\n'
        f'data: {START}[{{"index":0,"delta":{{"content":"Hel"}},"finish_reason":null}}]}}\n\n'
        f'data: {START}[{{"index":0,"delta":{{"content":"lo"}},"finish_reason":null}}]}}\n\n'
        f'data: {START}[{{"index":0,"delta":{{}},"finish_reason":"stop"}}],{MEASURED}}}\n\n'
        "data: [DONE]\n\n"
    )


def test_include_usage_adds_chunk_with_usage() -> None:
    assert stream(Started(9, 4), FINISHED, include_usage=True) == (
        f'data: {START}[{{"index":0,"delta":{{"role":"assistant","content":null}},"finish_reason":null}}]}}\n\n'
        f'data: {START}[{{"index":0,"delta":{{}},"finish_reason":"stop"}}]}}\n\n'
        f"data: {START}[],{COUNTED},{MEASURED}}}\n\n"
        "data: [DONE]\n\n"
    )


def test_error_during_stream_ends_it_without_done_line() -> None:
    assert stream(Started(9, 4), Failed(EngineDead("/home/me/x.gguf broke"))).endswith(
        'data: {"error":{"message":"The engine has stopped; the model must be loaded again.",'
        '"type":"unavailable_error","param":null,"code":"engine_dead"}}\n\n'
    )
    stopped = stream(Started(9, 4), Finished("cancelled", USAGE, TIMINGS))
    assert stopped.endswith('"code":"request_stopped"}}\n\n')
    assert "[DONE]" not in stopped


def test_unicode_line_separators_are_escaped() -> None:
    frame = stream(TextDelta("a\x85b\u2028c\u2029d\r\n🙂é", 1))
    assert frame.splitlines() == [frame[:-2], ""]
    assert json.loads(frame[6:])["choices"][0]["delta"]["content"] == "a\x85b\u2028c\u2029d\r\n🙂é"
    assert "🙂é" in frame


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_with_any_characters_is_sent_in_one_frame(text: str) -> None:
    frame = stream(TextDelta(text, 1))
    assert len(frame.splitlines()) == 2
    assert json.loads(frame[6:])["choices"][0]["delta"]["content"] == text


def test_whole_answer_matches_expected_json() -> None:
    assert json.dumps(completion(META, [Answer("Hello", FINISHED)], ResponseOptions()), separators=(",", ":")) == (
        '{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"alias","choices":[{"index":0,'
        '"message":{"role":"assistant","content":"Hello","refusal":null},"logprobs":null,"finish_reason":"stop"}],'
        f"{COUNTED},{MEASURED}}}"
    )


def test_cancelled_answer_raises_request_stopped() -> None:
    with pytest.raises(RequestStopped):
        AnswerBuilder().add(Finished("cancelled", USAGE, TIMINGS))


def test_timings_of_answer_without_tokens_are_zero() -> None:
    measured = timings(Usage(0, 0, 0), Timings(0, 0, 0, 0))
    assert set(measured.values()) == {0}


def test_model_object_contains_no_path() -> None:
    shown = json.dumps(model_object(FakeBackend(Script(), FakeOpener().limits).info))
    assert set(json.loads(shown)) == {"id", "object", "created", "owned_by", "meta"}
    assert "gguf" not in shown


def test_context_overflow_error_has_the_message_code_and_counts_that_clients_expect() -> None:
    frame = stream(Failed(ContextOverflow(5000, 4096)))
    assert "This model's maximum context length is 4096 tokens." in frame
    assert '"code":"context_length_exceeded","n_prompt_tokens":5000,"n_ctx":4096' in frame


def test_chunks_of_choices_are_interleaved_and_end_with_one_done_line() -> None:
    chunks = many(
        ResponseOptions(include_usage=True, n=2),
        (0, Started(9, 4)),
        (1, Started(9, 9)),
        (1, TextDelta("b", 1)),
        (0, TextDelta("a", 1)),
        (1, FINISHED),
        (0, Finished("length", Usage(9, 4, 3), TIMINGS)),
    )
    shown = [choice for chunk in chunks for choice in chunk["choices"]]  # type: ignore[attr-defined]
    assert [(each["index"], each["finish_reason"]) for each in shown] == [
        (0, None),
        (1, None),
        (1, None),
        (0, None),
        (1, "stop"),
        (0, "length"),
    ]
    assert chunks[-1]["usage"] == {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "total_tokens": 14,
        "prompt_tokens_details": {"cached_tokens": 4},
    }


def test_streamed_tool_call_contains_function_name_only_once() -> None:
    wire = stream(
        Started(9, 4),
        ToolCallStarted(0, "call_a", "get_weather"),
        ToolCallDelta(0, '{"city":'),
        ToolCallDelta(0, '"Oslo"}'),
        Finished("tool_calls", USAGE, TIMINGS),
    )
    assert wire == (
        f'data: {START}[{{"index":0,"delta":{{"role":"assistant","content":null}},"finish_reason":null}}]}}\n\n'
        f'data: {START}[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"id":"call_a","type":"function",'
        '"function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}]}\n\n'
        f'data: {START}[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"function":'
        '{"arguments":"{\\"city\\":"}}]},"finish_reason":null}]}\n\n'
        f'data: {START}[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"function":'
        '{"arguments":"\\"Oslo\\"}"}}]},"finish_reason":null}]}\n\n'
        f'data: {START}[{{"index":0,"delta":{{}},"finish_reason":"tool_calls"}}],{MEASURED}}}\n\n'
        "data: [DONE]\n\n"
    )


def whole(*events: Event, options: ResponseOptions = ResponseOptions()) -> dict[str, object]:
    builder = AnswerBuilder()
    answers = [answer for event in events if (answer := builder.add(event)) is not None]
    return completion(META, answers, options)


def only(shown: dict[str, object]) -> dict[str, object]:
    choices = shown["choices"]
    assert isinstance(choices, list)
    assert len(choices) == 1
    choice: dict[str, object] = choices[0]
    return choice


CALL = (
    Started(9, 4),
    ToolCallStarted(0, "call_a", "f"),
    ToolCallDelta(0, '{"a":'),
    ToolCallDelta(0, "1}"),
    Finished("tool_calls", USAGE, TIMINGS),
)


def test_whole_answer_with_tool_call_has_null_content() -> None:
    choice = only(whole(*CALL))
    call = {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    assert choice["message"] == {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}
    assert choice["finish_reason"] == "tool_calls"


def test_answer_to_request_with_functions_has_function_call_instead_of_tool_calls() -> None:
    options = ResponseOptions(legacy_call=True)
    choice = only(whole(*CALL, options=options))
    called = {"name": "f", "arguments": '{"a":1}'}
    assert choice["message"] == {"role": "assistant", "content": None, "refusal": None, "function_call": called}
    assert choice["finish_reason"] == "function_call"
    deltas = [only(chunk)["delta"] for chunk in many(options, *((0, event) for event in CALL))]
    assert deltas[1:] == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": '{"a":'}},
        {"function_call": {"arguments": "1}"}},
        {},
    ]


def test_reasoning_and_its_token_count_are_returned() -> None:
    events = (Started(9, 4), ReasoningDelta("Hm.", 3), TextDelta("Yes", 1), FINISHED)
    shown = whole(*events)
    message = only(shown)["message"]
    assert message == {"role": "assistant", "content": "Yes", "refusal": None, "reasoning_content": "Hm."}
    assert '"completion_tokens_details": {"reasoning_tokens": 3}' in json.dumps(shown["usage"])
    wire = stream(*events, include_usage=True)
    assert '"delta":{"reasoning_content":"Hm."}' in wire
    assert '"completion_tokens_details":{"reasoning_tokens":3}' in wire


def test_logprobs_of_whole_and_streamed_answers_have_openai_format() -> None:
    scored = (
        TokenChoice(b"H", -0.5, ((b"H", -0.5), (b"J", float("-inf")))),
        TokenChoice(b"\xc3", -1.0),
    )
    expected = {
        "content": [
            {
                "token": "H",
                "logprob": -0.5,
                "bytes": [72],
                "top_logprobs": [
                    {"token": "H", "logprob": -0.5, "bytes": [72]},
                    {"token": "J", "logprob": -9999.0, "bytes": [74]},
                ],
            },
            {"token": "\ufffd", "logprob": -1.0, "bytes": [195], "top_logprobs": []},
        ],
        "refusal": None,
    }
    events = (Started(9, 4), TextDelta("H", 1, scored), FINISHED)
    assert only(whole(*events, options=ResponseOptions(logprobs=True)))["logprobs"] == expected
    assert only(whole(*events))["logprobs"] is None
    chunks = many(ResponseOptions(logprobs=True), *((0, event) for event in events))
    assert only(chunks[1])["logprobs"] == expected


def test_list_of_models_for_anthropic_clients_has_anthropic_format() -> None:
    model = FakeBackend(Script(), FakeOpener().limits).info
    assert anthropic_list([model]) == {
        "data": [{"type": "model", "id": "fake", "display_name": "Fake", "created_at": "1970-01-01T00:00:00Z"}],
        "has_more": False,
        "first_id": "fake",
        "last_id": "fake",
    }
