"""Translation between Ollama's API and the engine. Streamed lines are compared byte by byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.answer import AnswerBuilder
from api.errors import BadRequest
from api.ollama.answer import OllamaLineWriter, OllamaMeta, loaded, whole
from api.ollama.models import bare_name, capabilities, embeddings_object
from api.ollama.request import chat_request, embed_request, generate_request
from api.ollama.schemas import ChatBody, EmbedBody, GenerateBody
from engine.chat_engine import LOCAL_CAPABILITIES
from engine.errors import EngineDead
from engine.events import (
    Embeddings,
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
from engine.requests import (
    ChatRequest,
    CompletionRequest,
    Constraint,
    EmbedRequest,
    Message,
    Request,
    Sampling,
    Tool,
    ToolCall,
)
from engine.status import ModelInfo, ModelProps

CHAT = OllamaMeta("alias", True, lambda: 0.5)
BARE = OllamaMeta("alias", False, lambda: 0.5)
TIMINGS = Timings(queue_s=0.5, prefill_s=0.25, decode_s=1.0, first_token_s=0.75)
FINISHED = Finished("stop", Usage(9, 4, 2), TIMINGS)
AT = '"model":"alias","created_at":"1970-01-01T00:00:00.500000Z"'
MEASURED = (
    '"done":true,"done_reason":"stop","total_duration":1750000000,"load_duration":500000000,"prompt_eval_count":9,'
    '"prompt_eval_duration":250000000,"eval_count":2,"eval_duration":1000000000'
)


def stream(meta: OllamaMeta, *events: Event) -> str:
    writer = OllamaLineWriter(meta)
    return b"".join(writer.frames(0, event) for event in events).decode()


def chat(**fields: object) -> ChatRequest:
    given = {"messages": [{"role": "user", "content": "Hi"}], **fields}
    return chat_request(ChatBody.model_validate_json(json.dumps(given)), "1")


def generate(fim_prompt: tuple[int, ...] | None = None, /, **fields: object) -> Request:
    return generate_request(GenerateBody.model_validate_json(json.dumps(fields)), fim_prompt, "1")


def test_streamed_chat_matches_expected_bytes() -> None:
    assert stream(CHAT, Started(9, 4), ReasoningDelta("Hm.", 1), TextDelta("Hel\u2028", 1), FINISHED) == (
        f'{{{AT},"message":{{"role":"assistant","content":"","thinking":"Hm."}},"done":false}}\n'
        f'{{{AT},"message":{{"role":"assistant","content":"Hel\\u2028"}},"done":false}}\n'
        f'{{{AT},"message":{{"role":"assistant","content":""}},{MEASURED}}}\n'
    )


def test_streamed_generate_answer_matches_expected_bytes() -> None:
    assert stream(BARE, Started(9, 4), TextDelta("Hel", 1), FINISHED) == (
        f'{{{AT},"response":"Hel","done":false}}\n{{{AT},"response":"",{MEASURED}}}\n'
    )


CALLS: tuple[Event, ...] = (
    Started(9, 4),
    ToolCallStarted(0, "c1", "f"),
    ToolCallDelta(0, '{"a":'),
    ToolCallDelta(0, "1}"),
    Finished("tool_calls", Usage(9, 4, 2), TIMINGS),
)


def test_stream_sends_complete_tool_calls_at_end() -> None:
    call = '"tool_calls":[{"id":"c1","function":{"index":0,"name":"f","arguments":{"a":1}}}]'
    assert stream(CHAT, *CALLS) == (
        f'{{{AT},"message":{{"role":"assistant","content":"",{call}}},"done":false}}\n'
        f'{{{AT},"message":{{"role":"assistant","content":""}},{MEASURED}}}\n'
    )
    builder = AnswerBuilder()
    answers = [answer for event in CALLS if (answer := builder.add(event)) is not None]
    shown = json.dumps(whole(CHAT, answers[0]), separators=(",", ":"))
    assert shown == f'{{{AT},"message":{{"role":"assistant","content":"",{call}}},{MEASURED}}}'


def test_error_during_stream_is_sent_as_a_line() -> None:
    wire = stream(CHAT, Started(9, 4), Failed(EngineDead("/home/me/x.gguf broke")))
    assert wire == '{"error":"The engine has stopped; the model must be loaded again."}\n'
    assert stream(CHAT, Finished("cancelled", Usage(9, 4, 2), TIMINGS)).startswith('{"error":')


def test_logprobs_are_returned_only_if_requested() -> None:
    scored = OllamaMeta("alias", False, lambda: 0.5, logprobs=True)
    wire = stream(scored, TextDelta("H", 1, (TokenChoice(b"H", -0.5),)))
    assert '"logprobs":[{"token":"H","logprob":-0.5,"bytes":[72],"top_logprobs":[]}]' in wire
    assert "logprobs" not in stream(BARE, TextDelta("H", 1, (TokenChoice(b"H", -0.5),)))


def test_embeddings_are_returned_with_duration_and_token_count() -> None:
    assert embeddings_object("alias", Embeddings(((0.5, 1.0),), 3), 0.25) == {
        "model": "alias",
        "embeddings": [[0.5, 1.0]],
        "total_duration": 250000000,
        "load_duration": 0,
        "prompt_eval_count": 3,
    }


def test_capabilities_are_derived_from_model_properties() -> None:
    def of(props: ModelProps) -> list[str]:
        model = ModelInfo("a", "A", Path("a.gguf"), 1, 512, 512, 1, 0.0)
        return capabilities(model, props, LOCAL_CAPABILITIES)

    assert of(ModelProps("{{ x }}", "", "", 16, False)) == ["completion", "tools"]
    assert of(ModelProps("<think>", "", "", 16, True)) == ["completion", "tools", "insert", "thinking"]


def test_answer_to_request_without_prompt_has_done_reason_load_or_unload() -> None:
    assert loaded(BARE, False)["done_reason"] == "load"
    assert loaded(CHAT, True)["done_reason"] == "unload"


def test_options_are_translated_to_sampling_parameters() -> None:
    options = {"temperature": 0, "num_predict": 5, "seed": 3, "top_k": 7, "num_ctx": 9999, "stop": ["x"], "num_gpu": 9}
    assert chat(options=options) == ChatRequest(
        (Message("user", "Hi"),),
        "endpoint",
        Sampling(temperature=0.0, seed=3, top_k=7),
        max_tokens=5,
        stop=("x",),
        id="1",
    )
    assert chat(options={"num_predict": -2}).max_tokens is None
    with pytest.raises(BadRequest):
        chat(options={"samplers": ["temperature", "top_k"]})


def test_format_field_becomes_constraint() -> None:
    assert chat(format="json").constraint == Constraint("json_object")
    assert chat(format={"type": "object"}).constraint == Constraint("json_schema", '{"type": "object"}', strict=False)
    assert chat(format="").constraint is None
    for wrong in ("xml", "{}"):
        with pytest.raises(BadRequest):
            chat(format=wrong, tools=[{"type": "function", "function": {"name": "f"}}])


def test_think_field_becomes_reasoning_options() -> None:
    assert chat(think=False).thinking is False
    assert (chat(think="low").thinking, chat(think="low").effort) == (True, "low")
    assert chat().thinking is None
    with pytest.raises(BadRequest):
        chat(think="hard")


def test_tool_results_are_matched_with_tool_calls() -> None:
    def call(name: str) -> dict[str, object]:
        return {"function": {"name": name, "arguments": {"ort": "Zürich"}}}

    result = chat(
        tools=[{"type": "function", "function": {"name": "f"}}],
        messages=[
            {"role": "assistant", "content": "", "tool_calls": [call("f"), call("g"), call("f")]},
            {"role": "tool", "content": "1", "tool_name": "g"},
            {"role": "tool", "content": "2"},
            {"role": "tool", "content": "3", "tool_name": "f"},
        ],
    )
    arguments = '{"ort": "Zürich"}'
    assert result.tools == (Tool("f"),)
    assert result.messages == (
        Message(
            "assistant",
            "",
            (
                ToolCall("call_0_0", "f", arguments),
                ToolCall("call_0_1", "g", arguments),
                ToolCall("call_0_2", "f", arguments),
            ),
        ),
        Message("tool", "1", tool_call_id="call_0_1"),
        Message("tool", "2", tool_call_id="call_0_0"),
        Message("tool", "3", tool_call_id="call_0_2"),
    )


def test_generate_body_is_translated_to_engine_request() -> None:
    assert generate(prompt="Hi", system="Be kind.") == ChatRequest(
        (Message("system", "Be kind."), Message("user", "Hi")), "endpoint", id="1"
    )
    assert generate(prompt="Hi", raw=True) == CompletionRequest("Hi", "endpoint", id="1")
    assert generate((3, 97, 4, 98, 5), prompt="a", suffix="b") == CompletionRequest(
        (3, 97, 4, 98, 5), "endpoint", id="1"
    )
    for name, value in (("images", ["x"]), ("template", "{{ x }}"), ("context", [1])):
        with pytest.raises(BadRequest) as caught:
            generate(prompt="a", **{name: value})
        assert caught.value.param == name


def test_embed_body_is_translated_to_engine_request() -> None:
    assert embed_request(EmbedBody(input=["a", "b"]), "1") == EmbedRequest(("a", "b"), "endpoint", None, "1", True)
    assert embed_request(EmbedBody(prompt="a"), "1").inputs == ("a",)
    assert not embed_request(EmbedBody(input="a", truncate=False), "1").truncate
    assert embed_request(EmbedBody(input=""), "1").inputs == embed_request(EmbedBody(prompt=""), "1").inputs == ()
    with pytest.raises(BadRequest):
        embed_request(EmbedBody(input=["a", ""]), "1")


def test_latest_tag_is_removed_from_model_name() -> None:
    assert bare_name("fake:latest") == "fake"
    assert bare_name("fake:7b") == "fake:7b"
    assert bare_name(None) is None


@pytest.mark.parametrize(
    "message",
    [{"role": "wizard"}, {"role": "user", "images": ["x"]}, {"role": "assistant", "tool_calls": [{"function": {}}]}],
)
def test_invalid_messages_are_refused(message: object) -> None:
    with pytest.raises(BadRequest) as caught:
        chat(messages=[message])
    assert (caught.value.param or "").startswith("messages[0].")
