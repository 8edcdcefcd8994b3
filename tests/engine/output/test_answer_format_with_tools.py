"""Tools and a format of the answer in one request: the answer is a call, or a text of that format."""

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
from tests.engine.output.chat_templates import MANNERS, TEMPLATES
from tests.engine.output.test_answer_events import HARMONY, HARMONY_TOKENS, HERMES, QWEN, answers, said, told
from tests.engine.output.test_constrained_tool_calls import BAD, CALL_TOKENS, CLOCK, GOOD, LIGHT, check_light, error_of

SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
OK = Constraint("json_schema", json.dumps(SCHEMA))


def asking(choice: ToolChoice = "auto", constraint: Constraint = OK, **changes: object) -> ChatRequest:
    request = replace(chat(max_tokens=300), constraint=constraint, tools=(LIGHT, CLOCK), tool_choice=choice)
    return replace(request, **changes)  # type: ignore[arg-type]


def is_ok(text: str) -> bool:
    made = json.loads(text)
    return set(made) == {"ok"} and isinstance(made["ok"], bool)


def thought_of(name: str) -> str:
    return "</think>" if MANNERS[name].generation.startswith("<think>") else ""


@pytest.mark.parametrize("name", [name for name in TEMPLATES if detect_family(TEMPLATES[name]).headers is None])
def test_a_call_beside_a_format_fits_its_tool(name: str) -> None:
    wrong = render_tool_calls(
        detect_family(TEMPLATES[name]).call_syntaxes[0], (ToolCall("functions.light:0", "light", BAD),)
    )
    script = said(thought_of(name) + wrong, TEMPLATES[name])
    text, _, ((called, arguments),), reason = told(answers(script, asking(parallel_tool_calls=False)))
    assert (text, called, reason) == ("", "light", "tool_calls")
    check_light(arguments)


@pytest.mark.parametrize("name", [name for name in TEMPLATES if detect_family(TEMPLATES[name]).headers is None])
@pytest.mark.parametrize("wish", ['{"ok": true}', "It rains.", '{"ok": 3, "x'])
def test_an_answer_beside_tools_matches_its_format_or_is_a_call(name: str, wish: str) -> None:
    text, _, calls, reason = told(answers(said(thought_of(name) + wish, TEMPLATES[name]), asking()))
    if calls:
        assert reason in ("tool_calls", "length")
        assert text.strip() == ""
        assert {called for called, _ in calls} <= {"light", "clock"}
    else:
        assert reason == "stop"
        assert is_ok(text)


def test_the_answer_of_a_model_with_headers_matches_in_its_own_channel() -> None:
    wish = "<|channel|>final<|message|>no"
    text, _, calls, _ = told(answers(said(wish, HARMONY, specials=HARMONY_TOKENS), asking()))
    assert not calls
    assert is_ok(text)


@pytest.mark.parametrize(
    "constraint",
    [Constraint("choice", '["yes", "no"]'), Constraint("regex", "yes|no"), Constraint("gbnf", 'root ::= "yes" | "no"')],
)
def test_every_kind_of_format_goes_beside_tools(constraint: Constraint) -> None:
    text, _, calls, _ = told(answers(said("yes", HERMES, specials=CALL_TOKENS), asking(constraint=constraint)))
    assert (text, calls) == ("yes", [])
    text, _, calls, _ = told(
        answers(
            said(f'<tool_call>\n{{"name": "light", "arguments": {GOOD}}}\n</tool_call>', HERMES, specials=CALL_TOKENS),
            asking(constraint=constraint, parallel_tool_calls=False),
        )
    )
    assert (text, calls) == ("", [("light", GOOD)])


@pytest.mark.parametrize("choice", ["required", NamedTool("light")])
def test_a_call_that_is_required_comes_in_spite_of_a_format(choice: ToolChoice) -> None:
    events = answers(said('{"ok": true}', HERMES), asking(choice, parallel_tool_calls=False))
    text, _, calls, reason = told(events)
    assert (text, len(calls), reason) == ("", 1, "tool_calls")


def test_no_tool_choice_leaves_only_the_format() -> None:
    text, _, calls, _ = told(
        answers(said(f'<tool_call>{{"name": "light", "arguments": {GOOD}}}', HERMES), asking("none"))
    )
    assert not calls
    assert is_ok(text)


def test_a_thought_before_either_is_free() -> None:
    text, thought, calls, _ = told(answers(said("hm {</think>maybe", QWEN, specials=CALL_TOKENS), asking()))
    assert thought == "hm {"
    assert bool(calls) or is_ok(text)
    text, thought, calls, _ = told(answers(said("<think>hm</think>maybe", HERMES, specials=CALL_TOKENS), asking()))
    assert thought == "hm"
    assert bool(calls) or is_ok(text)


def test_a_format_that_cannot_be_enforced_is_an_error_beside_tools_too() -> None:
    odd = Constraint("json_schema", '{"type": "array", "uniqueItems": true}')
    assert isinstance(error_of(answers(said("x", HERMES), asking(constraint=odd))), ConstraintError)


# What cannot be enforced

UNIQUE = Tool(
    "tag", "", '{"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "integer"}, '
    '"uniqueItems": true}, "n": {"type": "integer"}}, "required": ["tags", "n"]}'
)  # fmt: skip


def not_enforced(events: list[Event]) -> tuple[str, ...]:
    (started,) = [event for event in events if isinstance(event, Started)]
    return started.not_enforced


@pytest.mark.parametrize("choice", ["required", NamedTool("tag"), "auto"])
def test_a_keyword_that_cannot_be_enforced_is_left_out_of_a_tool_and_named(choice: ToolChoice) -> None:
    wish = '<tool_call>\n{"name": "tag", "arguments": {"tags": [1, 1], "n": "x"}}\n</tool_call>'
    request = replace(chat(max_tokens=300), tools=(UNIQUE,), tool_choice=choice, parallel_tool_calls=False)
    events = answers(said(wish, HERMES, specials=CALL_TOKENS), request)
    assert not_enforced(events) == ("tag: uniqueItems at /properties/tags",)
    ((_, arguments),) = told(events)[2]
    made = json.loads(arguments)
    assert isinstance(made["n"], int)  # the rest still holds


def test_a_tool_whose_schema_cannot_be_followed_keeps_its_names() -> None:
    odd = Tool("odd", "", '{"type": "object", "properties": {"a": {"enum": []}}, "required": ["a"]}')
    request = replace(chat(max_tokens=200), tools=(odd, CLOCK), tool_choice=NamedTool("odd"), parallel_tool_calls=False)
    events = answers(said('<tool_call>\n{"name": "odd", "arguments": {"a": 1}}\n</tool_call>', HERMES), request)
    assert told(events)[2] == [("odd", '{"a": 1}')]
    assert not_enforced(events) == ("odd: the types of its arguments",)


def test_a_format_that_is_not_strict_is_relaxed_and_what_is_left_out_is_named() -> None:
    odd = Constraint("json_schema", '{"type": "array", "uniqueItems": true, "items": {"enum": [1]}}', strict=False)
    for tools in ((), (CLOCK,)):
        events = answers(said("[1]", HERMES), replace(asking(constraint=odd), tools=tools))
        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "[1]"
        assert not_enforced(events) == ("uniqueItems at /",)
    assert not_enforced(answers(said("x", HERMES), asking())) == ()
