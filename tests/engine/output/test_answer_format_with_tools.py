"""Requests with both tools and a response format: the answer is a tool call or matches the format."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from engine.errors import ConstraintError
from engine.events import Event, Started, TextDelta
from engine.output.model_families import detect_family
from engine.output.tool_call_renderer import render_tool_calls
from engine.requests import ChatRequest, Constraint, NamedTool, Tool, ToolCall, ToolChoice
from tests.conftest import chat
from tests.engine.output.chat_templates import STYLES, TEMPLATES
from tests.engine.output.scripted_answers import (
    CALL_TOKENS,
    CLOCK,
    HARMONY,
    HARMONY_TOKENS,
    HERMES,
    INVALID_ARGUMENTS,
    LIGHT,
    QWEN,
    VALID_ARGUMENTS,
    check_light,
    error_of,
    run_request,
    script_for,
    summary,
)

SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
OK = Constraint("json_schema", json.dumps(SCHEMA))


def tool_request(choice: ToolChoice = "auto", constraint: Constraint = OK, **changes: object) -> ChatRequest:
    request = replace(chat(max_tokens=300), constraint=constraint, tools=(LIGHT, CLOCK), tool_choice=choice)
    return replace(request, **changes)  # type: ignore[arg-type]


def is_ok(text: str) -> bool:
    made = json.loads(text)
    return set(made) == {"ok"} and isinstance(made["ok"], bool)


def reasoning_end(name: str) -> str:
    return "</think>" if STYLES[name].generation.startswith("<think>") else ""


@pytest.mark.parametrize("name", [name for name in TEMPLATES if detect_family(TEMPLATES[name]).headers is None])
def test_tool_call_matches_schema_of_its_tool_if_request_also_has_response_format(name: str) -> None:
    wrong = render_tool_calls(
        detect_family(TEMPLATES[name]).call_syntaxes[0], (ToolCall("functions.light:0", "light", INVALID_ARGUMENTS),)
    )
    script = script_for(reasoning_end(name) + wrong, TEMPLATES[name])
    text, _, ((called, arguments),), reason = summary(run_request(script, tool_request(parallel_tool_calls=False)))
    assert (text, called, reason) == ("", "light", "tool_calls")
    check_light(arguments)


@pytest.mark.parametrize("name", [name for name in TEMPLATES if detect_family(TEMPLATES[name]).headers is None])
@pytest.mark.parametrize("output", ['{"ok": true}', "It rains.", '{"ok": 3, "x'])
def test_answer_with_tools_and_response_format_matches_format_or_is_a_tool_call(name: str, output: str) -> None:
    text, _, calls, reason = summary(
        run_request(script_for(reasoning_end(name) + output, TEMPLATES[name]), tool_request())
    )
    if calls:
        assert reason in ("tool_calls", "length")
        assert text.strip() == ""
        assert {called for called, _ in calls} <= {"light", "clock"}
    else:
        assert reason == "stop"
        assert is_ok(text)


def test_message_in_final_channel_matches_response_format() -> None:
    output = "<|channel|>final<|message|>no"
    text, _, calls, _ = summary(run_request(script_for(output, HARMONY, specials=HARMONY_TOKENS), tool_request()))
    assert not calls
    assert is_ok(text)


@pytest.mark.parametrize(
    "constraint",
    [Constraint("choice", '["yes", "no"]'), Constraint("regex", "yes|no"), Constraint("gbnf", 'root ::= "yes" | "no"')],
)
def test_every_kind_of_response_format_allows_answer_or_tool_call(constraint: Constraint) -> None:
    text, _, calls, _ = summary(
        run_request(script_for("yes", HERMES, specials=CALL_TOKENS), tool_request(constraint=constraint))
    )
    assert (text, calls) == ("yes", [])
    text, _, calls, _ = summary(
        run_request(
            script_for(
                f'<tool_call>\n{{"name": "light", "arguments": {VALID_ARGUMENTS}}}\n</tool_call>',
                HERMES,
                specials=CALL_TOKENS,
            ),
            tool_request(constraint=constraint, parallel_tool_calls=False),
        )
    )
    assert (text, calls) == ("", [("light", VALID_ARGUMENTS)])


@pytest.mark.parametrize("choice", ["required", NamedTool("light")])
def test_required_tool_call_takes_precedence_over_response_format(choice: ToolChoice) -> None:
    events = run_request(script_for('{"ok": true}', HERMES), tool_request(choice, parallel_tool_calls=False))
    text, _, calls, reason = summary(events)
    assert (text, len(calls), reason) == ("", 1, "tool_calls")


def test_tool_choice_none_applies_only_the_response_format() -> None:
    text, _, calls, _ = summary(
        run_request(
            script_for(f'<tool_call>{{"name": "light", "arguments": {VALID_ARGUMENTS}}}', HERMES), tool_request("none")
        )
    )
    assert not calls
    assert is_ok(text)


def test_reasoning_before_tool_call_or_formatted_answer_is_unconstrained() -> None:
    text, reasoning, calls, _ = summary(
        run_request(script_for("hm {</think>maybe", QWEN, specials=CALL_TOKENS), tool_request())
    )
    assert reasoning == "hm {"
    assert bool(calls) or is_ok(text)
    text, reasoning, calls, _ = summary(
        run_request(script_for("<think>hm</think>maybe", HERMES, specials=CALL_TOKENS), tool_request())
    )
    assert reasoning == "hm"
    assert bool(calls) or is_ok(text)


def test_request_with_tools_and_unenforceable_response_format_fails() -> None:
    odd = Constraint("json_schema", '{"type": "array", "uniqueItems": true}')
    assert isinstance(error_of(run_request(script_for("x", HERMES), tool_request(constraint=odd))), ConstraintError)


UNIQUE = Tool(
    "tag", "", '{"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "integer"}, '
    '"uniqueItems": true}, "n": {"type": "integer"}}, "required": ["tags", "n"]}'
)  # fmt: skip


def not_enforced(events: list[Event]) -> tuple[str, ...]:
    (started,) = [event for event in events if isinstance(event, Started)]
    return started.not_enforced


@pytest.mark.parametrize("choice", ["required", NamedTool("tag"), "auto"])
def test_tool_schema_keyword_that_cannot_be_enforced_is_reported(choice: ToolChoice) -> None:
    output = '<tool_call>\n{"name": "tag", "arguments": {"tags": [1, 1], "n": "x"}}\n</tool_call>'
    request = replace(chat(max_tokens=300), tools=(UNIQUE,), tool_choice=choice, parallel_tool_calls=False)
    events = run_request(script_for(output, HERMES, specials=CALL_TOKENS), request)
    assert not_enforced(events) == ("tag: uniqueItems at /properties/tags",)
    ((_, arguments),) = summary(events)[2]
    made = json.loads(arguments)
    assert isinstance(made["n"], int)  # the rest of the schema is still enforced


def test_tool_with_unsupported_schema_is_called_with_its_argument_names() -> None:
    odd = Tool("odd", "", '{"type": "object", "properties": {"a": {"enum": []}}, "required": ["a"]}')
    request = replace(chat(max_tokens=200), tools=(odd, CLOCK), tool_choice=NamedTool("odd"), parallel_tool_calls=False)
    events = run_request(
        script_for('<tool_call>\n{"name": "odd", "arguments": {"a": 1}}\n</tool_call>', HERMES), request
    )
    assert summary(events)[2] == [("odd", '{"a": 1}')]
    assert not_enforced(events) == ("odd: the types of its arguments",)


def test_unenforceable_keyword_of_non_strict_response_format_is_removed_and_reported() -> None:
    odd = Constraint("json_schema", '{"type": "array", "uniqueItems": true, "items": {"enum": [1]}}', strict=False)
    for tools in ((), (CLOCK,)):
        events = run_request(script_for("[1]", HERMES), replace(tool_request(constraint=odd), tools=tools))
        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "[1]"
        assert not_enforced(events) == ("uniqueItems at /",)
    assert not_enforced(run_request(script_for("x", HERMES), tool_request())) == ()
