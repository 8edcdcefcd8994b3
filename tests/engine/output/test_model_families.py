"""The output format of a model is detected from its chat template, and matches what the template writes."""

from __future__ import annotations

import json

import pytest

from engine.output.model_families import FAMILIES, PROMPTED_FORMAT, detect_family, opens_reasoning
from engine.output.output_parser import OutputParser
from engine.prompt.chat_template import CHATML, ChatTemplate
from engine.prompt.reasoning_options import reasoning_arguments
from engine.prompt.tool_presentation import present_tools
from engine.requests import Message, Tool, ToolCall
from tests.engine.output.chat_templates import STYLES, TEMPLATES
from tests.engine.output.test_output_parser import joined

WEATHER = Tool("get_weather", "The weather", '{"type": "object", "properties": {"city": {"type": "string"}}}')
ARGUMENTS = {"city": "Oslo", "days": 3}
CALL = ToolCall("functions.get_weather:0", "get_weather", json.dumps(ARGUMENTS))
ASKED = (Message("user", "How is the weather?"),)
CALLED = (*ASKED, Message("assistant", "", (CALL,)))


def render(name: str, messages: tuple[Message, ...], *, add_generation_prompt: bool) -> str:
    source = TEMPLATES[name]
    presented, tools = present_tools(messages, (WEATHER,), detect_family(source), source)
    template = ChatTemplate(source, bos="", eos="")
    return template.render(presented, tools=tools, add_generation_prompt=add_generation_prompt)


def test_every_family_has_a_test_template() -> None:
    assert {family.name for family in FAMILIES} - {PROMPTED_FORMAT.name} == set(TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_is_recognised_as_its_family(name: str) -> None:
    format = detect_family(TEMPLATES[name])
    assert (format.name, format.template_shows_tools, format.template_shows_tool_calls) == (name, True, True)


@pytest.mark.parametrize("name", TEMPLATES)
def test_tool_call_rendered_by_template_is_parsed_back(name: str) -> None:
    style = STYLES[name]
    prompt = render(name, ASKED, add_generation_prompt=True)
    assert "get_weather" in prompt, "the tools are not shown"
    rendered = render(name, CALLED, add_generation_prompt=False)
    prompt_start = prompt.removesuffix(style.generation)
    assert rendered.startswith(prompt_start)
    answer = rendered.removeprefix(prompt_start).removesuffix(style.end)
    format = detect_family(TEMPLATES[name])
    assert not format.eog_texts or style.end in format.eog_texts
    parser = OutputParser(format, (WEATHER,), lambda: "id")
    found = joined([*parser.feed(answer), *parser.finish()])
    ((_, called, arguments),) = found.calls
    assert (called, json.loads(arguments), found.text, found.reasoning) == ("get_weather", ARGUMENTS, "", "")


@pytest.mark.parametrize("name", TEMPLATES)
def test_reasoning_started_by_the_prompt_is_detected(name: str) -> None:
    prompt = render(name, ASKED, add_generation_prompt=True)
    assert opens_reasoning(detect_family(TEMPLATES[name]), prompt) == STYLES[name].generation.startswith("<think>")


@pytest.mark.parametrize("source", [None, "", CHATML, "{% for m in messages %}<tool_call>{% endfor %}x"])
def test_tools_and_tool_calls_are_written_as_text_if_template_does_not_support_tools(source: str | None) -> None:
    format = detect_family(source)
    assert not format.template_shows_tools
    system = Message("system", "Be kind.")
    presented, shown = present_tools(
        (system, *CALLED, Message("tool", "Rain.", tool_call_id=CALL.id)), (WEATHER,), format, source
    )
    assert shown == ()
    assert [message.role for message in presented] == ["system", "user", "assistant", "user"]
    assert presented[0].content.startswith("Be kind.\n\n# Tools")
    assert '"name": "get_weather"' in presented[0].content
    assert json.dumps(ARGUMENTS) in presented[2].content
    assert "Rain." in presented[3].content


@pytest.mark.parametrize(
    ("template", "enabled", "effort", "want"),
    [
        (
            "{% if enable_thinking is defined and enable_thinking is false %}x{% endif %}",
            False,
            None,
            {"enable_thinking": False},
        ),
        ("{% if enable_thinking is defined %}x{% endif %}", True, "high", {"enable_thinking": True}),
        ("{% if thinking %}x{% endif %}", None, "minimal", {"thinking": False}),
        ("{{ reasoning_effort }}", None, "high", {"reasoning_effort": "high"}),
        (
            "{% if reasoning_effort == 'low' or reasoning_effort == 'high' %}",
            None,
            "medium",
            {"reasoning_effort": "high"},
        ),
        ("{{ reasoning_effort }}", None, None, {}),
        ("plain", False, "high", {}),
        (None, True, "low", {}),
    ],
)
def test_reasoning_options_become_template_arguments(
    template: str | None, enabled: bool | None, effort: str | None, want: dict[str, object]
) -> None:
    assert reasoning_arguments(template, enabled, effort) == want
