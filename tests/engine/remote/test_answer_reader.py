"""Streams in the shapes that servers send become the same events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import (
    Event,
    PromptProgress,
    ReasoningDelta,
    Started,
    TextDelta,
    TokenChoice,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from engine.remote.answer_reader import AnswerFailed, AnswerReader
from tests.engine.remote.scripted_server import USAGE, delta, ending, text

Json = dict[str, Any]


def read(*chunks: Json, reader: AnswerReader | None = None, **options: Any) -> tuple[list[Event], AnswerReader]:
    reader = reader or AnswerReader("x", **{"wants_choices": False, **options})
    events = [event for chunk in chunks for event in reader.add(json.dumps(chunk).encode())]
    return events + reader.close(), reader


def calls_in(events: list[Event]) -> list[tuple[str, str, str]]:
    """The id, name and arguments of each tool call."""
    found: dict[int, list[str]] = {}
    for event in events:
        match event:
            case ToolCallStarted(index, id, name):
                assert index == len(found)
                found[index] = [id, name, ""]
            case ToolCallDelta(index, arguments):
                found[index][2] += arguments
    return [(id, name, arguments) for id, name, arguments in found.values()]


def call(index: int | None = None, id: str | None = None, **function: object) -> Json:
    fields: Json = {"type": "function", "function": function}
    if index is not None:
        fields["index"] = index
    return fields if id is None else {**fields, "id": id}


def test_role_chunk_does_not_start_the_answer() -> None:
    events, reader = read({"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}]})
    assert (events, reader.has_started) == ([], False)
    events, _ = read(delta(role="assistant", content=""), text("Hi"), ending())
    assert events == [Started(0, 0), TextDelta("Hi", 1)]


def test_empty_answer_starts_at_its_end() -> None:
    events, reader = read(delta(role="assistant"), ending("length"), USAGE)
    assert events == [Started(0, 0)]
    assert reader.ending is not None
    assert reader.ending.reason == "length"
    assert reader.usage == Usage(9, 4, 2)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_read_under_both_names(name: str) -> None:
    events, _ = read(delta(**{name: "Hm"}), text("Yes"), ending())
    assert events == [Started(0, 0), ReasoningDelta("Hm", 1), TextDelta("Yes", 1)]


def test_reasoning_under_both_names_at_once_is_read_once() -> None:
    events, _ = read(delta(reasoning="Hm", reasoning_content="Hm"), ending())
    assert events == [Started(0, 0), ReasoningDelta("Hm", 1)]


def test_content_parts_are_joined() -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "image"}, {"type": "text", "text": "lo"}, "x", {"text": 5}]
    assert read(delta(content=parts), ending())[0] == [Started(0, 0), TextDelta("Hello", 1)]


def test_prompt_progress_comes_before_the_start() -> None:
    progress = {"total": 100, "cache": 20, "processed": 60, "time_ms": 1500}
    events, _ = read({**delta(role="assistant", content=None), "prompt_progress": progress}, text("Hi"), ending())
    assert events == [PromptProgress(100, 20, 60, 1.5), Started(100, 20), TextDelta("Hi", 1)]


@pytest.mark.parametrize(
    "chunks",
    [
        # llama.cpp, vLLM and OpenAI: id and name first, then the arguments in pieces
        [
            delta(tool_calls=[call(0, "a", name="f", arguments="")]),
            delta(tool_calls=[call(0, arguments='{"x"')]),
            delta(tool_calls=[call(0, arguments=": 1}")]),
            delta(tool_calls=[call(1, "b", name="g", arguments="")]),
            delta(tool_calls=[call(1, arguments="{}")]),
        ],
        # Ollama: whole calls in one chunk
        [delta(tool_calls=[call(0, "a", name="f", arguments='{"x": 1}'), call(1, "b", name="g", arguments="{}")])],
        # without numbers
        [
            delta(tool_calls=[call(None, "a", name="f", arguments='{"x": 1}')]),
            delta(tool_calls=[call(None, "b", name="g", arguments="{}")]),
        ],
        # without numbers, in pieces
        [
            delta(tool_calls=[call(None, "a", name="f", arguments='{"x"')]),
            delta(tool_calls=[call(None, arguments=": 1}")]),
            delta(tool_calls=[call(None, "b", name="g", arguments="{}")]),
        ],
        # all calls have the number 0
        [
            delta(tool_calls=[call(0, "a", name="f", arguments='{"x": 1}')]),
            delta(tool_calls=[call(0, "b", name="g", arguments="{}")]),
        ],
        # name and id in every piece
        [
            delta(tool_calls=[call(0, "a", name="f", arguments='{"x"')]),
            delta(tool_calls=[call(0, "a", name="f", arguments=": 1}")]),
            delta(tool_calls=[call(1, "b", name="g", arguments="{}")]),
        ],
        # the name after the id and the first arguments
        [
            delta(tool_calls=[call(0, "a", arguments='{"x"')]),
            delta(tool_calls=[call(0, name="f", arguments=": 1}")]),
            delta(tool_calls=[call(1, "b", name="g", arguments="{}")]),
        ],
        # numbers from 1, arguments as an object
        [delta(tool_calls=[call(1, "a", name="f", arguments={"x": 1}), call(2, "b", name="g", arguments={})])],
    ],
)
def test_tool_calls_are_read_in_every_shape(chunks: list[Json]) -> None:
    events, reader = read(*chunks, ending("stop"))
    assert calls_in(events) == [("a", "f", '{"x": 1}'), ("b", "g", "{}")]
    assert reader.ending is not None
    assert reader.ending.reason == "tool_calls"


def test_calls_after_the_first_are_left_out_unless_they_may_be_parallel() -> None:
    chunks = [delta(tool_calls=[call(i, f"id{i}", name="f", arguments="{}") for i in range(3)])]
    assert len(calls_in(read(*chunks, parallel_calls=False)[0])) == 1


def test_function_call_of_old_servers_is_a_tool_call() -> None:
    chunks = [delta(function_call={"name": "f", "arguments": "{"}), delta(function_call={"arguments": "}"})]
    ((id, name, arguments),) = calls_in(read(*chunks, ending("function_call"))[0])
    assert (bool(id), name, arguments) == (True, "f", "{}")


def test_log_probabilities_of_chat_completions_are_read() -> None:
    entry = {
        "id": 7,
        "token": "\ufffd",
        "bytes": [0xC3],
        "logprob": -0.5,
        "top_logprobs": [
            {"token": "\ufffd", "bytes": [0xC3], "logprob": -0.5, "id": 7},
            {"token": "a", "bytes": None, "logprob": -3.4e38},
            {"token": "c", "bytes": [99], "logprob": -9},
        ],
    }
    logprobs = {"content": [entry, {**entry, "bytes": [0xA9]}]}
    chunks = [text("", logprobs=None), text("é", logprobs=logprobs), ending()]
    events, _ = read(*chunks, wants_choices=True, n_others=2)
    delta_event = events[1]
    assert isinstance(delta_event, TextDelta)
    assert delta_event.n_tokens == 2
    assert b"".join(each.token for each in delta_event.choices) == "é".encode()
    assert delta_event.choices[0] == TokenChoice(b"\xc3", -0.5, ((b"\xc3", -0.5), (b"a", -9999.0)))
    assert delta_event.choices[0].id == 7


def test_log_probabilities_of_a_token_without_text_come_with_the_next_text() -> None:
    entry = {"token": "x", "bytes": [120], "logprob": -1, "top_logprobs": []}
    role = {"choices": [{"delta": {"role": "assistant"}, "logprobs": {"content": [entry]}, "finish_reason": None}]}
    reasoning = {"choices": [{"delta": {"reasoning": "y"}, "logprobs": {"content": [entry]}, "finish_reason": None}]}
    events, _ = read(role, reasoning, text("xx", logprobs={"content": [entry]}), wants_choices=True)
    assert isinstance(events[-1], TextDelta)
    assert len(events[-1].choices) == 2


def test_log_probabilities_of_completions_are_read() -> None:
    logprobs = {
        "tokens": ["Hel", "lo"],
        "token_logprobs": [-0.1, None],
        "top_logprobs": [{"Hel": -0.1, "Hal": -3.0}, None],
        "text_offset": [0, 3],
    }
    events, _ = read({"choices": [{"text": "Hello", "logprobs": logprobs}]}, wants_choices=True, n_others=5)
    assert events[1] == TextDelta(
        "Hello", 2, (TokenChoice(b"Hel", -0.1, ((b"Hel", -0.1), (b"Hal", -3.0))), TokenChoice(b"lo", -9999.0))
    )


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "stop"),
        ("eos", "stop"),
        ({"type": "length"}, "length"),
    ],
)
def test_finish_reasons_are_translated(given: object, reason: str) -> None:
    _, reader = read(text("a"), ending(given))
    assert reader.ending is not None
    assert reader.ending.reason == reason


def test_stop_string_of_vllm_is_read() -> None:
    _, reader = read(text("a"), ending("stop", stop_reason="END"))
    assert reader.ending is not None
    assert reader.ending.stop_string == "END"


def test_surrogate_pair_divided_between_chunks_is_one_character() -> None:
    events, _ = read(text("a\ud83d"), text("\ude00b\ud800"), ending())
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["a", "😀b", "\ufffd"]


NAMES = (
    *("choices", "delta", "message", "text", "content", "reasoning", "tool_calls", "function", "name", "arguments"),
    *("index", "id", "usage", "error", "prompt_tokens", "prompt_progress", "total", "logprobs", "top_logprobs"),
    *("token", "bytes", "tokens", "finish_reason"),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.lists(json_values, max_size=5))
def test_any_json_gives_events_or_an_error(values: list[object]) -> None:
    reader = AnswerReader("x", wants_choices=True, n_others=3)
    events: list[Event] = []
    try:
        for value in values:
            choice = value if isinstance(value, dict) else {"delta": value, "logprobs": {"content": [value]}}
            events += reader.add(json.dumps({"choices": [choice]}).encode())
            events += reader.add(json.dumps(value).encode())
        events += reader.close()
    except AnswerFailed:
        return
    assert not events or any(isinstance(event, Started | PromptProgress) for event in events[:1])
    assert all(event.text for event in events if isinstance(event, TextDelta | ReasoningDelta))
