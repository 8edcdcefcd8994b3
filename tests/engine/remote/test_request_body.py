"""Request bodies have the fields that each kind of server knows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import pytest

from engine.errors import ConstraintError, RequestError, Unsupported
from engine.remote.connection import ServerKind
from engine.remote.request_body import chat_body, completion_body, embedding_body
from engine.remote.server_kinds import CAPABILITIES
from engine.requests import (
    ChatRequest,
    CompletionRequest,
    Constraint,
    EmbedRequest,
    Message,
    NamedTool,
    Sampling,
    Tool,
    ToolCall,
)

KINDS: tuple[ServerKind, ...] = get_args(ServerKind)
ASK = ChatRequest((Message("user", "Hi"),), "window")
TOOL = Tool("f", "Does it", '{"type": "object", "properties": {"x": {"type": "integer"}}}')


def body_of(kind: ServerKind, request: ChatRequest = ASK, **changes: Any) -> dict[str, Any]:
    body = chat_body(replace(request, **changes), "m", kind, CAPABILITIES[kind])
    return json.loads(json.dumps(body, allow_nan=False))  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_streams_with_usage(kind: ServerKind) -> None:
    body = body_of(kind, max_tokens=5, stop=("x",), sampling=Sampling(seed=7))
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    assert (body["model"], body["stream"], body["stream_options"]) == ("m", True, {"include_usage": True})
    assert (body["max_tokens"], body["stop"], body["seed"], body["temperature"]) == (5, ["x"], 7, 0.8)


def test_only_known_sampling_fields_are_sent() -> None:
    openai = {"temperature", "top_p", "frequency_penalty", "presence_penalty"}
    usual = {"model", "messages", "stream", "stream_options"}
    assert set(body_of("openai")) == set(body_of("ollama")) == usual | openai
    assert set(body_of("vllm")) == usual | openai | {"top_k", "min_p", "repetition_penalty", "ignore_eos"}
    assert {"dynatemp_range", "dry_penalty_last_n", "mirostat", "xtc_threshold"} <= set(body_of("llama.cpp"))


def test_top_k_that_is_off_has_the_value_of_the_server() -> None:
    assert body_of("vllm", sampling=Sampling(top_k=0))["top_k"] == -1
    assert body_of("llama.cpp", sampling=Sampling(top_k=0))["top_k"] == 0


def test_banned_token_has_a_finite_bias() -> None:
    request = replace(ASK, sampling=Sampling(logit_bias=((5, float("-inf")), (6, 1.5))))
    body = chat_body(request, "m", "llama.cpp", replace(CAPABILITIES["llama.cpp"], token_ids=True))
    assert body["logit_bias"] == {"5": -100.0, "6": 1.5}


def test_history_has_tool_calls_results_and_reasoning() -> None:
    messages = (
        Message("user", "Hi"),
        Message("assistant", "", (ToolCall("a", "f", '{"x": 1}'), ToolCall("b", "f", "{bad")), reasoning="Hm"),
        Message("tool", "7", tool_call_id="a"),
    )
    sent = body_of("llama.cpp", messages=messages)["messages"]
    assert sent[1]["content"] is None
    assert sent[1]["reasoning_content"] == "Hm"
    assert [each["function"]["arguments"] for each in sent[1]["tool_calls"]] == ['{"x": 1}', '{"arguments": "{bad"}']
    assert sent[2] == {"role": "tool", "content": "7", "tool_call_id": "a"}
    assert "reasoning_content" not in body_of("openai", messages=messages)["messages"][1]


@pytest.mark.parametrize("kind", ["llama.cpp", "vllm", "sglang", "inglenook"])
def test_begun_answer_is_continued(kind: ServerKind) -> None:
    body = body_of(kind, answer_start="Once")
    assert body["messages"][-1] == {"role": "assistant", "content": "Once"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)


@pytest.mark.parametrize("kind", ["openai", "ollama", "lmstudio"])
def test_begun_answer_is_unsupported_elsewhere(kind: ServerKind) -> None:
    with pytest.raises(Unsupported):
        body_of(kind, answer_start="Once")


def test_tools_are_sent_with_their_schema() -> None:
    body = body_of("openai", tools=(TOOL,), tool_choice="required", parallel_tool_calls=False)
    (tool,) = body["tools"]
    assert tool["function"]["parameters"]["properties"] == {"x": {"type": "integer"}}
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)
    with pytest.raises(RequestError):
        body_of("openai", tools=(replace(TOOL, parameters="{"),))


def test_named_tool_is_required_in_the_way_of_the_server() -> None:
    tools = (TOOL, replace(TOOL, name="g"))
    for kind in ("lmstudio", "llama.cpp"):
        body = body_of(kind, tools=tools, tool_choice=NamedTool("g"))
        assert ([each["function"]["name"] for each in body["tools"]], body["tool_choice"]) == (["g"], "required")
    body = body_of("vllm", tools=tools, tool_choice=NamedTool("g"))
    assert body["tool_choice"] == {"type": "function", "function": {"name": "g"}}
    assert len(body["tools"]) == 2
    with pytest.raises(Unsupported):
        body_of("ollama", tools=tools, tool_choice=NamedTool("g"))
    assert "tools" not in body_of("ollama", tools=tools, tool_choice="none")


@pytest.mark.parametrize(
    ("kind", "constraint", "fields"),
    [
        ("openai", Constraint("json_object"), {"response_format": {"type": "json_object"}}),
        ("vllm", Constraint("regex", "a+"), {"structured_outputs": {"regex": "a+"}}),
        ("sglang", Constraint("regex", "a+"), {"regex": "a+"}),
        ("sglang", Constraint("gbnf", "root ::= x"), {"ebnf": "root ::= x"}),
        ("sglang", Constraint("choice", '["a.", "b"]'), {"regex": "(a\\.)|(b)"}),
        ("llama.cpp", Constraint("gbnf", "root ::= x"), {"grammar": "root ::= x"}),
        ("llama.cpp", Constraint("choice", '["a\\"\\n", "b"]'), {"grammar": 'root ::= "a\\"\\U0000000a" | "b"'}),
        ("inglenook", Constraint("lark", "start: x"), {"structured_outputs": {"grammar": "start: x"}}),
        ("inglenook", Constraint("choice", '["a"]'), {"structured_outputs": {"choice": ["a"]}}),
    ],
)
def test_constraint_is_sent_in_the_form_of_the_server(kind: ServerKind, constraint: Constraint, fields: object) -> None:
    assert isinstance(fields, dict)
    assert fields.items() <= body_of(kind, constraint=constraint).items()


@pytest.mark.parametrize("kind", KINDS)
def test_json_schema_is_a_response_format(kind: ServerKind) -> None:
    found = body_of(kind, constraint=Constraint("json_schema", '{"type": "array"}'))["response_format"]
    assert (found["type"], found["json_schema"]["schema"]) == ("json_schema", {"type": "array"})
    with pytest.raises(ConstraintError):
        body_of(kind, constraint=Constraint("json_schema", "{"))


@pytest.mark.parametrize("kind", KINDS)
def test_constraint_that_the_server_lacks_is_unsupported(kind: ServerKind) -> None:
    for name in {"json_object", "json_schema", "regex", "choice", "lark", "gbnf"} - CAPABILITIES[kind].constraints:
        with pytest.raises(Unsupported):
            body_of(kind, constraint=Constraint(name, '["a"]'))  # type: ignore[arg-type]


def test_reasoning_is_set_in_the_way_of_the_server() -> None:
    off = {"enable_thinking": False, "thinking": False}
    assert body_of("vllm", thinking=False)["chat_template_kwargs"] == off
    body = body_of("llama.cpp", effort="minimal")
    assert (body["reasoning_effort"], body["chat_template_kwargs"]) == ("minimal", off)
    assert body_of("sglang", template_arguments=(("a", 1),))["chat_template_kwargs"] == {"a": 1}
    assert body_of("ollama", thinking=False)["reasoning_effort"] == "none"
    assert body_of("ollama", effort="minimal")["reasoning_effort"] == "low"
    assert body_of("vllm", effort="minimal")["reasoning_effort"] == "low"  # it refuses other words
    able = replace(CAPABILITIES["openai"], reasoning=True)
    assert chat_body(replace(ASK, effort="high"), "m", "openai", able)["reasoning_effort"] == "high"
    assert "reasoning_effort" not in body_of("openai", thinking=False)


def test_log_probabilities_are_requested_or_unsupported() -> None:
    body = body_of("vllm", n_logprobs=0)
    assert (body["logprobs"], body["top_logprobs"]) == (True, 0)
    assert body_of("llama.cpp", n_logprobs=0)["top_logprobs"] == 1  # without, llama.cpp sends none
    for kind in ("ollama", "lmstudio"):
        with pytest.raises(Unsupported):
            body_of(kind, n_logprobs=5)
    with pytest.raises(Unsupported):
        body_of("llama.cpp", n_logprobs=5, tools=(TOOL,))
    with pytest.raises(Unsupported):
        body_of("vllm", prompt_logprobs=True)


def test_completions_have_prompt_and_length() -> None:
    request = CompletionRequest("Once", "endpoint", n_logprobs=3, constraint=Constraint("json_schema", "{}"))
    body = completion_body(request, "m", "llama.cpp", CAPABILITIES["llama.cpp"])
    assert (body["prompt"], body["logprobs"], body["json_schema"]) == ("Once", 3, {})
    assert "max_tokens" not in body
    assert completion_body(request, "m", "inglenook", CAPABILITIES["inglenook"])["max_tokens"] == -1
    with pytest.raises(Unsupported):
        completion_body(CompletionRequest("Once", "endpoint"), "m", "ollama", CAPABILITIES["ollama"])
    with pytest.raises(Unsupported):
        completion_body(CompletionRequest((1, 2), "endpoint"), "m", "openai", CAPABILITIES["openai"])


def test_embeddings_have_inputs_and_dimensions() -> None:
    body = embedding_body(EmbedRequest(("a", "b"), "endpoint", dimensions=8), "m", "openai")
    assert (body["input"], body["dimensions"]) == (["a", "b"], 8)
    with pytest.raises(Unsupported):
        embedding_body(EmbedRequest(((1, 2),), "endpoint"), "m", "ollama")
