"""Translation of chat completion bodies to the engine's requests."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.errors import BadRequest, UnsupportedParameter
from api.fields.unsupported_params import UNSUPPORTED_PARAMS
from api.openai.chat.request import chat_request, chat_requests
from api.openai.chat.schemas import ChatCompletionBody
from engine.requests import ChatRequest, Constraint, Message, NamedTool, Sampling, Tool, ToolCall


def body(**fields: object) -> ChatCompletionBody:
    fields.setdefault("messages", [{"role": "user", "content": "Hi"}])
    return ChatCompletionBody.model_validate_json(json.dumps(fields))


def request(**fields: object) -> ChatRequest:
    return chat_request(body(**fields), "1")


def test_absent_fields_use_engine_defaults() -> None:
    result = request()
    assert result == ChatRequest((Message("user", "Hi"),), "endpoint", id="1")
    assert result.sampling == Sampling()


def test_null_fields_count_as_absent() -> None:
    nulls = dict.fromkeys([*ChatCompletionBody.model_fields, *UNSUPPORTED_PARAMS, "user", "metadata"])
    del nulls["messages"]
    assert request(**nulls) == request()


def test_unknown_fields_and_neutral_values_of_unsupported_parameters_are_ignored() -> None:
    for name, values in UNSUPPORTED_PARAMS.items():
        for value in values:
            assert request(**{name: value}) == request(), name
    assert request(user="me", metadata={"a": 1}, store=True, never_heard_of={"x": [1]}) == request()
    assert request(id_slot=3, n_keep=5, n_discard=2, cache_prompt=True) == request()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("modalities", ["text", "audio"]),
        ("web_search_options", {}),
        ("chat_template", "{{ 1 }}"),
        ("samplers", ["temperature", "top_k"]),
        ("post_sampling_probs", True),
        ("return_tokens", True),
        ("use_beam_search", True),
        ("stop_token_ids", [3]),
        ("allowed_token_ids", [3]),
        ("bad_words", ["x"]),
        ("prompt_logprobs", 2),
        ("echo", True),
        ("return_token_ids", True),
        ("structural_tag", "x"),
        ("mirostat", 1),
        ("reasoning_budget_tokens", 100),
        ("add_generation_prompt", False),
    ],
)
def test_error_for_unsupported_parameter_names_it(name: str, value: object) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        request(**{name: value})
    assert caught.value.param == name
    assert name in caught.value.message


def test_choices_have_consecutive_seeds() -> None:
    result = chat_requests(body(n=3, seed=7), "a")
    assert [each.sampling.seed for each in result] == [7, 8, 9]
    assert [each.id for each in result] == ["a", "a-1", "a-2"]
    assert {each.sampling.seed for each in chat_requests(body(n=2), "a")} == {None}
    last = 2**32 - 2
    assert [each.sampling.seed for each in chat_requests(body(n=2, seed=last), "a")] == [last, 0]


def test_logprobs_fields_are_translated_to_engine_request() -> None:
    assert request().n_logprobs is None
    assert request(logprobs=True).n_logprobs == 0
    assert request(logprobs=True, top_logprobs=20).n_logprobs == 20
    assert request(logprobs=False, top_logprobs=0).n_logprobs is None
    with pytest.raises(BadRequest) as caught:
        request(top_logprobs=3)
    assert caught.value.param == "top_logprobs"
    with pytest.raises(ValidationError):
        request(logprobs=True, top_logprobs=21)


def test_llama_cpp_sampling_parameters_are_translated_to_engine_request() -> None:
    result = request(
        typical_p=0.9,
        top_n_sigma=1.5,
        xtc_probability=0.5,
        xtc_threshold=0.2,
        dynatemp_range=0.3,
        repeat_last_n=-1,
        presence_penalty=0.5,
        frequency_penalty=-0.5,
        dry_multiplier=0.8,
        dry_base=2,
        dry_allowed_length=3,
        dry_penalty_last_n=64,
        mirostat=2,
        mirostat_tau=4,
        mirostat_eta=0.2,
        ignore_eos=True,
        top_k=-1,
        min_tokens=4,
    )
    assert result.min_tokens == 4
    assert result.sampling == Sampling(
        typical_p=0.9,
        top_n_sigma=1.5,
        xtc_probability=0.5,
        xtc_threshold=0.2,
        temperature_range=0.3,
        repeat_last_n=32768,
        presence_penalty=0.5,
        frequency_penalty=-0.5,
        dry_multiplier=0.8,
        dry_base=2.0,
        dry_allowed_length=3,
        dry_last_n=64,
        mirostat=True,
        mirostat_tau=4.0,
        mirostat_eta=0.2,
        ignore_eos=True,
        top_k=0,
    )


def test_logit_bias_is_accepted_as_object_and_as_list_of_pairs() -> None:
    assert request(logit_bias={"5": -100, "7": 1.5}).sampling.logit_bias == ((5, -100.0), (7, 1.5))
    assert request(logit_bias=[[5, False], [7, 2]]).sampling.logit_bias == ((5, float("-inf")), (7, 2.0))
    for wrong in ({"a": 1}, [["word", 1]], {"-1": 1}, {str(2**31): 1}, [[5, True]]):
        with pytest.raises(BadRequest):
            request(logit_bias=wrong)


SCHEMA = {"type": "object", "properties": {"größe": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"response_format": {"type": "text"}}, None),
        ({"grammar": ""}, None),
        ({"response_format": {"type": "json_object"}}, Constraint("json_object")),
        (
            {"response_format": {"type": "json_object", "schema": SCHEMA}},
            Constraint("json_schema", json.dumps(SCHEMA, ensure_ascii=False), strict=False),
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "a", "strict": True, "schema": SCHEMA},
                }
            },
            Constraint("json_schema", json.dumps(SCHEMA, ensure_ascii=False)),
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}},
            Constraint("json_schema", json.dumps(SCHEMA, ensure_ascii=False), strict=False),
        ),
        ({"json_schema": {}}, Constraint("json_schema", "{}", strict=False)),
        ({"guided_json": SCHEMA}, Constraint("json_schema", json.dumps(SCHEMA, ensure_ascii=False))),
        ({"guided_json": '{"type": "null"}'}, Constraint("json_schema", '{"type": "null"}')),
        ({"guided_regex": "a+"}, Constraint("regex", "a+")),
        ({"guided_choice": ["a", "é"]}, Constraint("choice", '["a", "é"]')),
        ({"guided_grammar": 'root ::= "a"'}, Constraint("gbnf", 'root ::= "a"')),
        ({"guided_grammar": 'start: "a"'}, Constraint("lark", 'start: "a"')),
        ({"structured_outputs": {"json": {}}}, Constraint("json_schema", "{}")),
        ({"structured_outputs": {"regex": "a"}}, Constraint("regex", "a")),
        ({"structured_outputs": {"choice": ["a"]}}, Constraint("choice", '["a"]')),
        ({"structured_outputs": {"grammar": 'start: "a"'}}, Constraint("lark", 'start: "a"')),
        ({"structured_outputs": {"json_object": True}}, Constraint("json_object")),
        ({"grammar": 'root ::= "a"'}, Constraint("gbnf", 'root ::= "a"')),
    ],
)
def test_response_formats_become_constraints(fields: dict[str, object], expected: Constraint | None) -> None:
    assert request(**fields).constraint == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "xml"}},
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}},
        {"response_format": {"type": "json_object"}, "grammar": 'root ::= "a"'},
        {"guided_regex": "a", "guided_choice": ["a"]},
        {"guided_json": "no JSON"},
        {"structured_outputs": {"structural_tag": "x"}},
        {"structured_outputs": {"regex": "a"}, "response_format": {"type": "json_object"}},
    ],
)
def test_invalid_response_formats_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        request(**fields)


F = {"type": "function", "function": {"name": "f", "description": "F.", "parameters": {"$defs": {"a": {}}}}}
G = {"type": "function", "function": {"name": "g"}}
TOOL_F, TOOL_G = Tool("f", "F.", '{"$defs": {"a": {}}}'), Tool("g")


@pytest.mark.parametrize(
    ("choice", "offered", "expected"),
    [
        (None, (TOOL_F, TOOL_G), "auto"),
        ("auto", (TOOL_F, TOOL_G), "auto"),
        ("none", (), "auto"),
        ("required", (TOOL_F, TOOL_G), "required"),
        ({"type": "function", "function": {"name": "g"}}, (TOOL_F, TOOL_G), NamedTool("g")),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"function": {"name": "g"}}]}},
            (TOOL_G,),
            "required",
        ),
    ],
)
def test_tool_choices_are_translated_to_engine_request(
    choice: object, offered: tuple[Tool, ...], expected: object
) -> None:
    result = request(tools=[F, G], tool_choice=choice)
    assert (result.tools, result.tool_choice) == (offered, expected)


@pytest.mark.parametrize(
    "choice", ["any", 3, {"type": "function"}, {"type": "function", "function": {"name": "h"}}, {"type": "custom"}]
)
def test_invalid_tool_choices_are_refused(choice: object) -> None:
    with pytest.raises(BadRequest) as caught:
        request(tools=[F, G], tool_choice=choice)
    assert caught.value.param == "tool_choice"


def test_tool_choice_required_without_tools_is_refused() -> None:
    with pytest.raises(BadRequest):
        request(tool_choice="required")
    assert request(tool_choice="auto", tools=[]) == request()


def test_parallel_tool_calls_false_is_passed_to_engine() -> None:
    assert request(tools=[F]).parallel_tool_calls
    assert not request(tools=[F], parallel_tool_calls=False).parallel_tool_calls


def test_named_tool_choice_disables_parallel_tool_calls() -> None:
    named = {"type": "function", "function": {"name": "f"}}
    assert not request(tools=[F], tool_choice=named, parallel_tool_calls=True).parallel_tool_calls
    assert request(tools=[F], tool_choice="required", parallel_tool_calls=True).parallel_tool_calls


def test_legacy_functions_become_tools() -> None:
    old = request(functions=[F["function"]], function_call={"name": "f"})
    assert (old.tools, old.tool_choice, old.parallel_tool_calls) == ((TOOL_F,), NamedTool("f"), False)
    assert request(functions=[F["function"]], function_call="none").tools == ()
    with pytest.raises(BadRequest):
        request(functions=[{}])
    with pytest.raises(BadRequest):
        request(functions=[{"name": "f"}], tools=[G])
    messages = request(
        messages=[
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "4"},
        ]
    ).messages
    assert messages == (
        Message("assistant", "", (ToolCall("call_f", "f", "{}"),)),
        Message("tool", "4", tool_call_id="call_f"),
    )


def test_tool_calls_and_results_in_messages_are_translated_to_engine_request() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    messages = request(
        messages=[
            {"role": "assistant", "tool_calls": [call], "reasoning_content": "Hm."},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "4"}]},
        ]
    ).messages
    assert messages == (
        Message("assistant", "", (ToolCall("c1", "f", '{"a":1}'),), reasoning="Hm."),
        Message("tool", "4", tool_call_id="c1"),
    )


@pytest.mark.parametrize(
    ("fields", "thinking", "effort"),
    [
        ({}, None, None),
        ({"reasoning_effort": "none"}, False, None),
        ({"reasoning_effort": "minimal"}, None, "minimal"),
        ({"reasoning_effort": "xhigh"}, None, "high"),
        ({"reasoning_budget_tokens": 0}, False, None),
        ({"reasoning_budget_tokens": -1}, None, None),
        ({"chat_template_kwargs": {"enable_thinking": False}}, False, None),
        ({"chat_template_kwargs": {"thinking": True}}, True, None),
        ({"chat_template_kwargs": {"reasoning_effort": "low"}}, None, "low"),
    ],
)
def test_reasoning_fields_become_options(fields: dict[str, object], thinking: bool | None, effort: str | None) -> None:
    result = request(**fields)
    assert (result.thinking, result.effort) == (thinking, effort)


def test_chat_template_kwargs_become_template_arguments() -> None:
    result = request(
        chat_template_kwargs={"preserve_thinking": True, "date": "May 4", "enable_thinking": False, "x": None}
    )
    assert result.template_arguments == (("preserve_thinking", True), ("date", "May 4"))
    assert result.thinking is False


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"reasoning_effort": "very"}, "reasoning_effort"),
        ({"chat_template_kwargs": {"enable_thinking": "false"}}, "chat_template_kwargs.enable_thinking"),
        ({"chat_template_kwargs": {"chat_template": "{{ 1 }}"}}, "chat_template_kwargs.chat_template"),
        ({"chat_template_kwargs": {"messages": "x"}}, "chat_template_kwargs.messages"),
        ({"chat_template_kwargs": {"extra": ["a"]}}, "chat_template_kwargs.extra"),
        ({"chat_template_kwargs": {"no name": True}}, "chat_template_kwargs.no name"),
    ],
)
def test_invalid_reasoning_fields_are_refused(fields: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        request(**fields)
    assert caught.value.param == param


def test_continue_final_message_makes_answer_continue_the_last_message() -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hel"}]
    result = request(messages=messages, continue_final_message=True, add_generation_prompt=False)
    assert (result.messages, result.answer_start) == ((Message("user", "Hi"),), "Hel")
    assert request(messages=messages).answer_start == ""
    with pytest.raises(BadRequest):
        request(continue_final_message=True)


def test_sampling_and_limit_fields_are_translated_to_engine_request() -> None:
    result = request(
        temperature=0, top_p=0.5, top_k=1, min_p=0.1, repeat_penalty=1.2, repeat_last_n=8, seed=7, max_tokens=5
    )
    assert result.sampling == Sampling(
        temperature=0.0, top_k=1, top_p=0.5, min_p=0.1, repeat_penalty=1.2, repeat_last_n=8, seed=7
    )
    assert result.max_tokens == 5
    assert request(max_tokens=5, max_completion_tokens=6).max_tokens == 6
    assert request(stop="END").stop == ("END",)
    assert request(stop=["a", "", "b"]).stop == ("a", "b")


@given(st.integers())
def test_any_seed_is_mapped_to_32_bit_seed_that_does_not_mean_random(seed: int) -> None:
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
        "min_tokens",
        "typical_p",
        "xtc_threshold",
        "dry_penalty_last_n",
        "mirostat_tau",
    ],
)
def test_extreme_number_is_refused_or_mapped_into_range(name: str, number: str) -> None:
    text = f'{{"messages":[{{"role":"user","content":"Hi"}}],"{name}":{number}}}'
    try:
        result = chat_request(ChatCompletionBody.model_validate_json(text), "1")
    except ValidationError as error:
        named = {part for each in error.errors() for part in each["loc"]}
    else:
        named = {name}
        assert_usable(result, number)
    assert named == {name}


def assert_usable(result: ChatRequest, number: str) -> None:
    assert number in ("0", "-1", "2147483648")
    chosen = result.sampling
    assert 0 <= chosen.temperature <= 2
    assert 0 <= chosen.top_p <= 1
    assert 0 <= chosen.min_p <= 1
    assert 0 <= chosen.top_k < 2**31
    assert result.max_tokens is None or 1 <= result.max_tokens < 2**31
    assert 0 <= chosen.repeat_last_n <= 32768
    assert chosen.repeat_penalty > 0


def test_stream_options_without_stream_are_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        request(stream_options={"include_usage": True})
    assert caught.value.param == "stream_options"
    request(stream=True, stream_options={"include_usage": True})


def test_developer_role_becomes_system() -> None:
    result = request(messages=[{"role": "developer", "content": "Be brief."}, {"role": "assistant", "content": None}])
    assert result.messages == (Message("system", "Be brief."), Message("assistant", ""))


def test_text_parts_are_joined_by_newlines() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert request(messages=[{"role": "user", "content": parts}]).messages == (Message("user", "a\nb"),)


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "tool", "content": "4"}, "messages[0].tool_call_id"),
        ({"role": "wizard", "content": "4"}, "messages[0].role"),
        ({"role": "assistant", "tool_calls": [{"id": "1"}]}, "messages[0].tool_calls[0]"),
        ({"role": "assistant", "tool_calls": [{"type": "custom"}]}, "messages[0].tool_calls[0]"),
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
def test_error_for_invalid_message_contains_path_of_the_invalid_field(message: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        request(messages=[message])
    assert caught.value.param == param


def test_custom_tool_call_in_history_becomes_tool_call() -> None:
    called = {"id": "c", "type": "custom", "custom": {"name": "patch", "input": "+ a"}}
    messages = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "tool_call_id": "c", "content": "done"},
    ]
    assert request(messages=messages).messages[1].tool_calls == (ToolCall("c", "patch", '{"input": "+ a"}'),)
