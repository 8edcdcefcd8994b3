"""OpenAI's words and the engine's, both ways, without a server. Streams are compared byte by byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.errors import BadRequest, NotKept, StoppedHere
from api.openai.promises import NEUTRAL
from api.openai.schemas import ChatCompletionBody
from api.openai.translate import ChunkWriter, Head, chat_request, completion, model_object, timings
from engine.errors import ContextOverflow, EngineDead
from engine.events import Failed, Finished, Started, TextDelta, Timings, Usage
from engine.requests import ChatRequest, Message, Sampling
from tests.fakes import FakeBackend, FakeOpener, Script

HEAD = Head("chatcmpl-1", 1, "alias")
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


def body(**fields: object) -> ChatCompletionBody:
    fields.setdefault("messages", [{"role": "user", "content": "Hi"}])
    return ChatCompletionBody.model_validate_json(json.dumps(fields))


def request(**fields: object) -> ChatRequest:
    return chat_request(body(**fields), "1")


def stream(*events: Started | TextDelta | Finished | Failed, include_usage: bool = False) -> str:
    writer = ChunkWriter(HEAD, include_usage)
    return b"".join(writer.frames(event) for event in events).decode()


# To the client


def test_stream_is_as_openai_writes_it() -> None:
    assert stream(Started(9, 4), TextDelta("Hel", 1), TextDelta("lo", 1), FINISHED) == (
        f'data: {START}[{{"index":0,"delta":{{"role":"assistant","content":null}},"finish_reason":null}}]}}\n\n'
        f'data: {START}[{{"index":0,"delta":{{"content":"Hel"}},"finish_reason":null}}]}}\n\n'
        f'data: {START}[{{"index":0,"delta":{{"content":"lo"}},"finish_reason":null}}]}}\n\n'
        f'data: {START}[{{"index":0,"delta":{{}},"finish_reason":"stop"}}],{MEASURED}}}\n\n'
        "data: [DONE]\n\n"
    )


def test_usage_comes_in_a_chunk_of_its_own_when_asked_for() -> None:
    assert stream(Started(9, 4), FINISHED, include_usage=True) == (
        f'data: {START}[{{"index":0,"delta":{{"role":"assistant","content":null}},"finish_reason":null}}]}}\n\n'
        f'data: {START}[{{"index":0,"delta":{{}},"finish_reason":"stop"}}]}}\n\n'
        f"data: {START}[],{COUNTED},{MEASURED}}}\n\n"
        "data: [DONE]\n\n"
    )


def test_a_late_error_ends_the_stream_without_done() -> None:
    assert stream(Started(9, 4), Failed(EngineDead("/home/me/x.gguf broke"))).endswith(
        'data: {"error":{"message":"The engine has stopped; the model must be loaded again.",'
        '"type":"unavailable_error","param":null,"code":"engine_dead"}}\n\n'
    )
    stopped = stream(Started(9, 4), Finished("cancelled", USAGE, TIMINGS))
    assert stopped.endswith('"code":"request_stopped"}}\n\n')
    assert "[DONE]" not in stopped


def test_characters_that_clients_take_for_line_ends_are_escaped() -> None:
    frame = stream(TextDelta("a\x85b\u2028c\u2029d\r\n🙂é", 1))
    assert frame.splitlines() == [frame[:-2], ""]
    assert json.loads(frame[6:])["choices"][0]["delta"]["content"] == "a\x85b\u2028c\u2029d\r\n🙂é"
    assert "🙂é" in frame


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_one_frame(text: str) -> None:
    frame = stream(TextDelta(text, 1))
    assert len(frame.splitlines()) == 2
    assert json.loads(frame[6:])["choices"][0]["delta"]["content"] == text


def test_whole_answer() -> None:
    assert json.dumps(completion(HEAD, "Hello", FINISHED), separators=(",", ":")) == (
        '{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"alias","choices":[{"index":0,'
        '"message":{"role":"assistant","content":"Hello","refusal":null},"logprobs":null,"finish_reason":"stop"}],'
        f"{COUNTED},{MEASURED}}}"
    )


def test_an_answer_that_was_stopped_here_is_an_error() -> None:
    with pytest.raises(StoppedHere):
        completion(HEAD, "Hel", Finished("cancelled", USAGE, TIMINGS))


def test_timings_of_nothing_are_zero() -> None:
    measured = timings(Usage(0, 0, 0), Timings(0, 0, 0, 0))
    assert set(measured.values()) == {0}


def test_model_object_shows_no_path() -> None:
    shown = json.dumps(model_object(FakeBackend(Script(), FakeOpener().limits).info))
    assert set(json.loads(shown)) == {"id", "object", "created", "owned_by", "meta"}
    assert "gguf" not in shown


# From the client


def test_defaults_are_the_engines() -> None:
    asked = request()
    assert asked == ChatRequest((Message("user", "Hi"),), "endpoint", id="1")
    assert asked.sampling == Sampling()


def test_null_means_absent() -> None:
    nulls = dict.fromkeys([*ChatCompletionBody.model_fields, *NEUTRAL, "user", "metadata"])
    del nulls["messages"]
    assert request(**nulls) == request()


def test_neutral_values_and_unknown_fields_pass() -> None:
    for name, values in NEUTRAL.items():
        for value in values:
            assert request(**{name: value}) == request(), name
    assert request(user="me", metadata={"a": 1}, store=True, never_heard_of={"x": [1]}) == request()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("n", 0),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("logit_bias", {"1": 5}),
        ("presence_penalty", 0.1),
        ("frequency_penalty", -0.1),
        ("response_format", {"type": "json_object"}),
        ("tools", [{"type": "function", "function": {"name": "f"}}]),
        ("tool_choice", "auto"),
        ("functions", [{"name": "f"}]),
        ("modalities", ["text", "audio"]),
        ("web_search_options", {}),
        ("reasoning_effort", "high"),
        ("chat_template", "{{ 1 }}"),
        ("chat_template_kwargs", {"chat_template": "{{ 1 }}"}),
        ("grammar", "root ::= this is (not valid"),
        ("json_schema", {}),
        ("n_discard", -1),
        ("ignore_eos", True),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(NotKept) as caught:
        request(**{name: value})
    assert caught.value.param == name
    assert name in caught.value.message


def test_tools_that_may_not_be_called_pass() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert request(tools=tools, tool_choice="none") == request()


def test_sampling_and_limits() -> None:
    asked = request(
        temperature=0, top_p=0.5, top_k=1, min_p=0.1, repeat_penalty=1.2, repeat_last_n=8, seed=7, max_tokens=5
    )
    assert asked.sampling == Sampling(
        temperature=0.0, top_k=1, top_p=0.5, min_p=0.1, repeat_penalty=1.2, repeat_last_n=8, seed=7
    )
    assert asked.max_tokens == 5
    assert request(max_tokens=5, max_completion_tokens=6).max_tokens == 6
    assert request(stop="END").stop == ("END",)
    assert request(stop=["a", "", "b"]).stop == ("a", "b")


@given(st.integers())
def test_any_seed_fits_32_bits_and_is_none_of_llama_cpps_own(seed: int) -> None:
    folded = request(seed=seed).sampling.seed
    assert folded is not None
    assert 0 <= folded < 2**32 - 1
    if 0 <= seed < 2**32 - 1:
        assert folded == seed


@pytest.mark.parametrize(
    "number", ["-1", "0", "2147483648", "1e308", "-1e308", "1e999", "NaN", "-Infinity", '"1"', "true"]
)
@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "max_completion_tokens",
        "seed",
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "repeat_penalty",
        "repeat_last_n",
    ],
)
def test_every_number_is_in_range_or_refused(name: str, number: str) -> None:
    text = f'{{"messages":[{{"role":"user","content":"Hi"}}],"{name}":{number}}}'
    try:
        asked = chat_request(ChatCompletionBody.model_validate_json(text), "1")
    except ValidationError as error:
        named = {part for each in error.errors() for part in each["loc"]}
    else:
        named = {name}
        assert_usable(asked, number)
    assert named == {name}


def assert_usable(asked: ChatRequest, number: str) -> None:
    assert number in ("0", "-1", "2147483648")
    chosen = asked.sampling
    assert 0 <= chosen.temperature <= 2
    assert 0 <= chosen.top_p <= 1
    assert 0 <= chosen.min_p <= 1
    assert 0 <= chosen.top_k < 2**31
    assert asked.max_tokens is None or 1 <= asked.max_tokens < 2**31
    assert 0 <= chosen.repeat_last_n <= 32768
    assert chosen.repeat_penalty > 0


def test_stream_options_need_a_stream() -> None:
    with pytest.raises(BadRequest) as caught:
        request(stream_options={"include_usage": True})
    assert caught.value.param == "stream_options"
    request(stream=True, stream_options={"include_usage": True})


# Messages


def test_developer_speaks_as_system() -> None:
    asked = request(messages=[{"role": "developer", "content": "Be brief."}, {"role": "assistant", "content": None}])
    assert asked.messages == (Message("system", "Be brief."), Message("assistant", ""))


def test_text_parts_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert request(messages=[{"role": "user", "content": parts}]).messages == (Message("user", "a\nb"),)


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "tool", "content": "4"}, "messages[0].role"),
        ({"role": "wizard", "content": "4"}, "messages[0].role"),
        ({"role": "assistant", "tool_calls": [{"id": "1"}]}, "messages[0].tool_calls"),
        ({"role": "user", "content": 4}, "messages[0].content"),
        ({"role": "user", "content": {"type": "text", "text": "a"}}, "messages[0].content"),
        ({"role": "user", "content": ["a"]}, "messages[0].content[0]"),
        ({"role": "user", "content": [{"type": "text"}]}, "messages[0].content[0]"),
        ({"role": "user", "content": [{"type": "text", "text": 1}]}, "messages[0].content[0]"),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1/a.png"}}]},
            "messages[0].content[0]",
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]},
            "messages[0].content[0]",
        ),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "messages[0].content[0]"),
    ],
)
def test_a_wrong_message_is_named(message: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        request(messages=[message])
    assert caught.value.param == param


def test_an_overflow_is_named_as_tools_expect() -> None:
    frame = stream(Failed(ContextOverflow(5000, 4096)))
    assert "This model's maximum context length is 4096 tokens." in frame
    assert '"code":"context_length_exceeded","n_prompt_tokens":5000,"n_ctx":4096' in frame
