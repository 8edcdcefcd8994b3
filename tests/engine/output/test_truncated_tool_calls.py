"""Answers that are truncated inside a tool call: no part of the call's syntax is emitted as text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.events import Event, Finished
from engine.output.model_families import detect_family
from engine.output.tool_call_renderer import render_tool_calls
from engine.requests import NamedTool, ToolCall, ToolChoice
from tests.conftest import chat
from tests.engine.output.chat_templates import STYLES, TEMPLATES
from tests.engine.output.scripted_answers import CLOCK, HERMES, LIGHT, VALID_ARGUMENTS, run_request, script_for, summary
from tests.engine.output.test_answer_format_with_tools import OK, tool_request

CALL = f'<tool_call>\n{{"name": "light", "arguments": {VALID_ARGUMENTS}}}\n</tool_call>'


def cut(output: str, n: int, choice: ToolChoice, template: str = HERMES) -> list[Event]:
    request = replace(chat(max_tokens=n), tools=(LIGHT, CLOCK), tool_choice=choice, parallel_tool_calls=False)
    return run_request(script_for(output, template), request)


@pytest.mark.parametrize("name", TEMPLATES)
def test_required_tool_call_truncated_anywhere_emits_no_text(name: str) -> None:
    if STYLES[name].generation.startswith("<think>"):
        return
    output = render_tool_calls(
        detect_family(TEMPLATES[name]).call_syntaxes[0], (ToolCall("functions.light:0", "light", VALID_ARGUMENTS),)
    )
    for n in range(1, min(len(output), 40), 3):
        events = cut(output, n, NamedTool("light"), TEMPLATES[name])
        text, _, calls, _ = summary(events)
        assert text == ""
        assert [called for called, _ in calls] in ([], ["light"])
        assert isinstance(events[-1], Finished)
        assert events[-1].reason in ("length", "tool_calls")


def test_tool_call_truncated_before_its_name_emits_no_text() -> None:
    for n in range(len("<tool_call>"), len('<tool_call>\n{"name": "light')):
        text, _, calls, reason = summary(cut(CALL, n, "auto"))
        assert (text, calls, reason) == ("", [], "length")


def test_text_before_truncated_tool_call_is_emitted() -> None:
    text, _, calls, _ = summary(cut(f"Let me see. {CALL}", len("Let me see. <tool_call>\n{"), "auto"))
    assert (text, calls) == ("Let me see.", [])


def test_text_resembling_a_truncated_tool_call_is_emitted() -> None:
    assert summary(cut("a <tool", 7, "auto"))[0] == "a <tool"
    text, _, _, reason = summary(cut("The tag is <tool_call>", 300, "auto"))
    assert (text, reason) == ("The tag is <tool_call>", "stop")


def test_truncated_answer_with_response_format_is_text() -> None:
    text, _, calls, reason = summary(
        run_request(script_for('{"ok": true}', HERMES), replace(tool_request(constraint=OK), max_tokens=5))
    )
    assert (text, calls, reason) == ('{"ok"', [], "length")
