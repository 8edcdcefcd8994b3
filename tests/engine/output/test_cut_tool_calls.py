"""Answers that are cut off within a call: nothing of the call's markup is shown as text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.events import Event, Finished
from engine.output.model_families import detect_family
from engine.output.tool_call_renderer import render_tool_calls
from engine.requests import NamedTool, ToolCall, ToolChoice
from tests.conftest import chat
from tests.engine.output.chat_templates import MANNERS, TEMPLATES
from tests.engine.output.test_answer_events import HERMES, answers, said, told
from tests.engine.output.test_answer_format_with_tools import OK, asking
from tests.engine.output.test_constrained_tool_calls import CLOCK, GOOD, LIGHT

CALL = f'<tool_call>\n{{"name": "light", "arguments": {GOOD}}}\n</tool_call>'


def cut(wish: str, n: int, choice: ToolChoice, template: str = HERMES) -> list[Event]:
    request = replace(chat(max_tokens=n), tools=(LIGHT, CLOCK), tool_choice=choice, parallel_tool_calls=False)
    return answers(said(wish, template), request)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_required_call_that_is_cut_anywhere_shows_no_text(name: str) -> None:
    if MANNERS[name].generation.startswith("<think>"):
        return
    wish = render_tool_calls(
        detect_family(TEMPLATES[name]).call_syntaxes[0], (ToolCall("functions.light:0", "light", GOOD),)
    )
    for n in range(1, min(len(wish), 40), 3):
        events = cut(wish, n, NamedTool("light"), TEMPLATES[name])
        text, _, calls, _ = told(events)
        assert text == ""
        assert [called for called, _ in calls] in ([], ["light"])
        assert isinstance(events[-1], Finished)
        assert events[-1].reason in ("length", "tool_calls")


def test_a_call_that_is_cut_before_its_name_shows_no_text() -> None:
    for n in range(len("<tool_call>"), len('<tool_call>\n{"name": "light')):
        text, _, calls, reason = told(cut(CALL, n, "auto"))
        assert (text, calls, reason) == ("", [], "length")


def test_text_before_a_cut_call_stays() -> None:
    text, _, calls, _ = told(cut(f"Let me see. {CALL}", len("Let me see. <tool_call>\n{"), "auto"))
    assert (text, calls) == ("Let me see.", [])


def test_what_only_looks_like_a_cut_call_stays_text() -> None:
    assert told(cut("a <tool", 7, "auto"))[0] == "a <tool"
    text, _, _, reason = told(cut("The tag is <tool_call>", 300, "auto"))
    assert (text, reason) == ("The tag is <tool_call>", "stop")


def test_an_answer_in_a_format_that_is_cut_stays_text() -> None:
    text, _, calls, reason = told(answers(said('{"ok": true}', HERMES), replace(asking(constraint=OK), max_tokens=5)))
    assert (text, calls, reason) == ('{"ok"', [], "length")
