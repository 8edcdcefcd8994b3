"""Constrained tool calls, and constraints that apply after reasoning. The backend is a fake."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from engine.errors import RequestError
from engine.events import TextDelta
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

YES = Constraint("choice", '["yes", "no"]')


def tool_request(choice: ToolChoice = "auto", **changes: object) -> ChatRequest:
    request = chat(max_tokens=300)
    return replace(request, **{"tools": (LIGHT, CLOCK), "tool_choice": choice, **changes})  # type: ignore[arg-type]


def call(arguments: str) -> str:
    return f'<tool_call>\n{{"name": "light", "arguments": {arguments}}}\n</tool_call>'


@pytest.mark.parametrize("name", TEMPLATES)
def test_named_tool_is_called_with_valid_arguments(name: str) -> None:
    """The fake backend is scripted to write wrong arguments. Tokens that the constraint does not allow are replaced by
    other letters."""
    reasoning_end = "</think>" if STYLES[name].generation.startswith("<think>") else ""
    wrong = reasoning_end + render_tool_calls(
        detect_family(TEMPLATES[name]).call_syntaxes[0], (ToolCall("functions.light:0", "light", INVALID_ARGUMENTS),)
    )
    request = tool_request(NamedTool("light"), parallel_tool_calls=False)
    for specials in ((), CALL_TOKENS):
        events = run_request(script_for(wrong, TEMPLATES[name], specials=specials), request)
        text, _, ((called, arguments),), reason = summary(events)
        assert (text, called, reason) == ("", "light", "tool_calls")
        check_light(arguments)


def test_required_tool_call_names_an_offered_tool() -> None:
    text, _, calls, reason = summary(
        run_request(script_for("It rains.", HERMES), tool_request("required", parallel_tool_calls=False))
    )
    assert (text, reason) == ("", "tool_calls")
    assert [name in ("light", "clock") for name, _ in calls] == [True]


def test_tool_call_can_be_required_of_model_without_tool_support() -> None:
    script = script_for("It rains.", None)
    ((name, arguments),) = summary(run_request(script, tool_request(NamedTool("light"), parallel_tool_calls=False)))[2]
    assert name == "light"
    check_light(arguments)


def test_reasoning_before_required_tool_call_is_unconstrained() -> None:
    script = script_for(f"hm {{</think>\n\n{call(VALID_ARGUMENTS)}", QWEN, specials=CALL_TOKENS)
    _, reasoning, ((name, arguments),), reason = summary(
        run_request(script, tool_request("required", parallel_tool_calls=False))
    )
    assert (reasoning, name in ("light", "clock"), reason) == ("hm {", True, "tool_calls")
    assert json.loads(arguments) is not None


def test_optional_tool_call_has_valid_arguments() -> None:
    script = script_for(f"Well, let me see. {call(INVALID_ARGUMENTS)}", HERMES, specials=CALL_TOKENS)
    text, _, ((name, arguments), *_), reason = summary(run_request(script, tool_request(parallel_tool_calls=False)))
    assert (text, name, reason) == ("Well, let me see.", "light", "tool_calls")
    check_light(arguments)


def test_tool_call_marker_inside_reasoning_does_not_start_the_constraint() -> None:
    script = script_for(
        f"<think>maybe <tool_call> or not</think>No. {call(VALID_ARGUMENTS)}", HERMES, specials=CALL_TOKENS
    )
    text, reasoning, calls, _ = summary(run_request(script, tool_request()))
    assert (text, reasoning) == ("No.", "maybe <tool_call> or not")
    assert calls[0] == ("light", VALID_ARGUMENTS)


def test_tool_whose_schema_has_an_unenforceable_keyword_can_be_called() -> None:
    odd = Tool("odd", "", '{"type": "object", "properties": {"a": {"not": {"type": "string"}}}}')
    output = '<tool_call>\n{"name": "odd", "arguments": {"a": 1}}\n</tool_call>'
    script = script_for(output, HERMES, specials=CALL_TOKENS)
    assert summary(run_request(script, tool_request(tools=(odd,), parallel_tool_calls=False)))[2] == [
        ("odd", '{"a": 1}')
    ]
    assert (
        summary(run_request(script, tool_request("required", tools=(odd,), parallel_tool_calls=False)))[2][0][0]
        == "odd"
    )


def test_request_with_answer_start_and_required_tool_call_is_rejected() -> None:
    error = error_of(run_request(script_for("x", HERMES), tool_request("required", answer_start="The")))
    assert isinstance(error, RequestError)


def constrained(answer: str, template: str, specials: tuple[str, ...] = (), **changes: object) -> tuple[str, str]:
    request = replace(chat(max_tokens=200), constraint=YES, **changes)  # type: ignore[arg-type]
    text, reasoning, _, reason = summary(run_request(script_for(answer, template, specials=specials), request))
    assert reason == "stop"
    return text, reasoning


def test_reasoning_before_constrained_answer_is_unconstrained() -> None:
    text, reasoning = constrained("hm, hm</think>maybe", QWEN)
    assert (text in ("yes", "no"), reasoning) == (True, "hm, hm")
    text, reasoning = constrained("<think>hm</think>maybe", HERMES, CALL_TOKENS)
    assert (text in ("yes", "no"), reasoning) == (True, "hm")
    text, reasoning = constrained("maybe", HERMES, CALL_TOKENS)
    assert (text in ("yes", "no"), reasoning) == (True, "")
    analysis = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant"
    text, reasoning = constrained(f"{analysis}<|channel|>final<|message|>maybe", HARMONY, HARMONY_TOKENS)
    assert (text in ("yes", "no"), reasoning) == (True, "hm")


def test_given_start_of_the_answer_must_match_the_constraint_even_if_prompt_starts_reasoning() -> None:
    assert constrained("x", QWEN, answer_start="ye") == ("s", "")


def test_constrained_answer_cannot_start_reasoning_in_its_middle() -> None:
    request = replace(chat(max_tokens=200), constraint=Constraint("regex", "[a-z]{3}[0-9]{3}"))
    events = run_request(script_for("abc<think>", HERMES, specials=CALL_TOKENS), request)
    assert re.fullmatch("[a-z]{3}[0-9]{3}", "".join(event.text for event in events if isinstance(event, TextDelta)))
