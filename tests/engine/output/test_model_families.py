"""Which format a chat template speaks: found from the template alone, and right about what the template writes."""

from __future__ import annotations

import json

import pytest

from engine.output.model_families import FAMILIES, PROMPTED_FORMAT, detect_family, opens_reasoning
from engine.output.output_parser import OutputParser
from engine.prompt.chat_template import CHATML, ChatTemplate
from engine.prompt.reasoning_options import reasoning_arguments
from engine.prompt.tool_presentation import present_tools
from engine.requests import Message, Tool, ToolCall
from tests.engine.output.chat_templates import MANNERS, TEMPLATES
from tests.engine.output.test_output_parser import joined

WEATHER = Tool("get_weather", "The weather", '{"type": "object", "properties": {"city": {"type": "string"}}}')
ARGUMENTS = {"city": "Oslo", "days": 3}
CALL = ToolCall("functions.get_weather:0", "get_weather", json.dumps(ARGUMENTS))
ASKED = (Message("user", "How is the weather?"),)
CALLED = (*ASKED, Message("assistant", "", (CALL,)))


def render(name: str, messages: tuple[Message, ...], *, add_generation_prompt: bool) -> str:
    source = TEMPLATES[name]
    told, tools = present_tools(messages, (WEATHER,), detect_family(source), source)
    template = ChatTemplate(source, bos="", eos="")
    return template.render(told, tools=tools, add_generation_prompt=add_generation_prompt)


def test_there_is_a_template_for_every_family() -> None:
    assert {family.name for family in FAMILIES} - {PROMPTED_FORMAT.name} == set(TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_known_by_its_words(name: str) -> None:
    format = detect_family(TEMPLATES[name])
    assert (format.name, format.template_shows_tools, format.template_shows_tool_calls) == (name, True, True)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_call_that_the_template_writes_is_read_back(name: str) -> None:
    manner = MANNERS[name]
    prompt = render(name, ASKED, add_generation_prompt=True)
    assert "get_weather" in prompt, "the tools are not shown"
    told = render(name, CALLED, add_generation_prompt=False)
    begun = prompt.removesuffix(manner.generation)
    assert told.startswith(begun)
    answer = told.removeprefix(begun).removesuffix(manner.end)
    format = detect_family(TEMPLATES[name])
    assert not format.eog_texts or manner.end in format.eog_texts
    parser = OutputParser(format, (WEATHER,), lambda: "id")
    found = joined([*parser.feed(answer), *parser.finish()])
    ((_, called, arguments),) = found.calls
    assert (called, json.loads(arguments), found.said, found.thought) == ("get_weather", ARGUMENTS, "", "")


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_the_prompt_has_opened(name: str) -> None:
    prompt = render(name, ASKED, add_generation_prompt=True)
    assert opens_reasoning(detect_family(TEMPLATES[name]), prompt) == MANNERS[name].generation.startswith("<think>")


@pytest.mark.parametrize("source", [None, "", CHATML, "{% for m in messages %}<tool_call>{% endfor %}x"])
def test_what_knows_no_tools_gets_them_in_the_system_prompt(source: str | None) -> None:
    format = detect_family(source)
    assert not format.template_shows_tools
    system = Message("system", "Be kind.")
    told, shown = present_tools(
        (system, *CALLED, Message("tool", "Rain.", tool_call_id=CALL.id)), (WEATHER,), format, source
    )
    assert shown == ()
    assert [message.role for message in told] == ["system", "user", "assistant", "user"]
    assert told[0].content.startswith("Be kind.\n\n# Tools")
    assert '"name": "get_weather"' in told[0].content
    assert json.dumps(ARGUMENTS) in told[2].content
    assert "Rain." in told[3].content


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
def test_thinking_through_the_templates_own_words(
    template: str | None, enabled: bool | None, effort: str | None, want: dict[str, object]
) -> None:
    assert reasoning_arguments(template, enabled, effort) == want
