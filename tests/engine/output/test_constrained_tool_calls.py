"""ToolCallSyntax that fit their tools, and constraints beside reasoning, over the fake."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from engine.errors import RequestError
from engine.events import Event, Failed, TextDelta
from engine.output.model_families import detect_family
from engine.output.tool_call_renderer import render_tool_calls
from engine.requests import ChatRequest, Constraint, NamedTool, Tool, ToolCall, ToolChoice
from tests.conftest import chat
from tests.engine.output.chat_templates import MANNERS, TEMPLATES
from tests.engine.output.test_answer_events import HARMONY, HARMONY_TOKENS, HERMES, QWEN, answers, said, told

LIGHT = Tool(
    "light",
    "Switches a light.",
    json.dumps(
        {
            "type": "object",
            "properties": {"on": {"type": "boolean"}, "room": {"enum": ["hall", "attic"]}},
            "required": ["on", "room"],
        }
    ),
)
CLOCK = Tool("clock")
GOOD = '{"on": true, "room": "attic"}'
BAD = '{"on": 3, "room": "cellar"}'
CALL_TOKENS = ("<tool_call>", "</tool_call>", "<think>", "</think>")
YES = Constraint("choice", '["yes", "no"]')


def asking(choice: ToolChoice = "auto", **changes: object) -> ChatRequest:
    request = chat(max_tokens=300)
    return replace(request, **{"tools": (LIGHT, CLOCK), "tool_choice": choice, **changes})  # type: ignore[arg-type]


def call(arguments: str) -> str:
    return f'<tool_call>\n{{"name": "light", "arguments": {arguments}}}\n</tool_call>'


def check_light(arguments: str) -> None:
    made = json.loads(arguments)
    assert set(made) == {"on", "room"}
    assert isinstance(made["on"], bool)
    assert made["room"] in ("hall", "attic")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_named_tool_is_called_as_its_schema_wants(name: str) -> None:
    """The fake would call it with wrong arguments; what it may not say becomes some other letter."""
    begun = "</think>" if MANNERS[name].generation.startswith("<think>") else ""
    wrong = begun + render_tool_calls(
        detect_family(TEMPLATES[name]).call_syntaxes[0], (ToolCall("functions.light:0", "light", BAD),)
    )
    request = asking(NamedTool("light"), parallel_tool_calls=False)
    for specials in ((), CALL_TOKENS):
        events = answers(said(wrong, TEMPLATES[name], specials=specials), request)
        text, _, ((called, arguments),), reason = told(events)
        assert (text, called, reason) == ("", "light", "tool_calls")
        check_light(arguments)


def test_a_required_call_is_one_of_the_tools() -> None:
    text, _, calls, reason = told(answers(said("It rains.", HERMES), asking("required", parallel_tool_calls=False)))
    assert (text, reason) == ("", "tool_calls")
    assert [name in ("light", "clock") for name, _ in calls] == [True]


def test_a_model_that_knows_no_tools_can_be_required_to_call_one() -> None:
    script = said("It rains.", None)
    ((name, arguments),) = told(answers(script, asking(NamedTool("light"), parallel_tool_calls=False)))[2]
    assert name == "light"
    check_light(arguments)


def test_a_thought_before_a_required_call_is_free() -> None:
    script = said(f"hm {{</think>\n\n{call(GOOD)}", QWEN, specials=CALL_TOKENS)
    _, thought, ((name, arguments),), reason = told(answers(script, asking("required", parallel_tool_calls=False)))
    assert (thought, name in ("light", "clock"), reason) == ("hm {", True, "tool_calls")
    assert json.loads(arguments) is not None


def test_what_begins_as_a_call_becomes_one_that_fits() -> None:
    script = said(f"Well, let me see. {call(BAD)}", HERMES, specials=CALL_TOKENS)
    text, _, ((name, arguments), *_), reason = told(answers(script, asking(parallel_tool_calls=False)))
    assert (text, name, reason) == ("Well, let me see.", "light", "tool_calls")
    check_light(arguments)


def test_what_a_call_is_in_a_thought_binds_nothing() -> None:
    script = said(f"<think>maybe <tool_call> or not</think>No. {call(GOOD)}", HERMES, specials=CALL_TOKENS)
    text, thought, calls, _ = told(answers(script, asking()))
    assert (text, thought) == ("No.", "maybe <tool_call> or not")
    assert calls[0] == ("light", GOOD)


def test_a_keyword_that_cannot_be_enforced_refuses_no_call() -> None:
    odd = Tool("odd", "", '{"type": "object", "properties": {"a": {"not": {"type": "string"}}}}')
    wish = '<tool_call>\n{"name": "odd", "arguments": {"a": 1}}\n</tool_call>'
    script = said(wish, HERMES, specials=CALL_TOKENS)
    assert told(answers(script, asking(tools=(odd,), parallel_tool_calls=False)))[2] == [("odd", '{"a": 1}')]
    assert told(answers(script, asking("required", tools=(odd,), parallel_tool_calls=False)))[2][0][0] == "odd"


def test_an_answer_that_has_begun_is_no_call() -> None:
    error = error_of(answers(said("x", HERMES), asking("required", answer_start="The")))
    assert isinstance(error, RequestError)


def error_of(events: list[Event]) -> Exception:
    (failed,) = events
    assert isinstance(failed, Failed)
    return failed.error


# A constraint beside reasoning


def constrained(answer: str, template: str, specials: tuple[str, ...] = (), **changes: object) -> tuple[str, str]:
    request = replace(chat(max_tokens=200), constraint=YES, **changes)  # type: ignore[arg-type]
    text, thought, _, reason = told(answers(said(answer, template, specials=specials), request))
    assert reason == "stop"
    return text, thought


def test_reasoning_before_a_constrained_answer_is_free() -> None:
    text, thought = constrained("hm, hm</think>maybe", QWEN)
    assert (text in ("yes", "no"), thought) == (True, "hm, hm")
    text, thought = constrained("<think>hm</think>maybe", HERMES, CALL_TOKENS)
    assert (text in ("yes", "no"), thought) == (True, "hm")
    text, thought = constrained("maybe", HERMES, CALL_TOKENS)
    assert (text in ("yes", "no"), thought) == (True, "")
    analysis = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant"
    text, thought = constrained(f"{analysis}<|channel|>final<|message|>maybe", HARMONY, HARMONY_TOKENS)
    assert (text in ("yes", "no"), thought) == (True, "hm")


def test_the_beginning_of_an_answer_counts_where_a_prompt_opens_a_thought() -> None:
    assert constrained("x", QWEN, answer_start="ye") == ("s", "")


def test_a_constrained_answer_may_not_think_later() -> None:
    request = replace(chat(max_tokens=200), constraint=Constraint("regex", "[a-z]{3}[0-9]{3}"))
    events = answers(said("abc<think>", HERMES, specials=CALL_TOKENS), request)
    assert re.fullmatch("[a-z]{3}[0-9]{3}", "".join(event.text for event in events if isinstance(event, TextDelta)))
