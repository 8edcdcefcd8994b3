"""The grammar for tool calls allows calls as a format writes them, and nothing that violates the tool's schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

from engine.backend import Limits
from engine.output.constraints.constraint_grammar import grammar_text
from engine.output.constraints.tool_call_grammar import build_tool_call_grammar, call_marker
from engine.output.model_families import FAMILIES, PROMPTED_FORMAT, THINK
from engine.output.tool_call_renderer import render_tool_calls
from engine.output.tool_call_syntax import OutputFormat
from engine.requests import NamedTool, Tool, ToolCall, ToolChoice
from tests.fakes import END, FakeBackend, Script

SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "unit": {"enum": ["C", "F"]},
        "near": {"type": "array", "items": {"type": "string"}},
        "wind": {"type": "object", "properties": {"above": {"type": "number"}}, "required": ["above"]},
        "now": {"type": "boolean"},
    },
    "required": ["city", "days"],
}
WEATHER = Tool("get_weather", "The weather.", json.dumps(SCHEMA))
CLOCK = Tool("clock")
FULL: dict[str, object] = {
    "city": "Oslo",
    "days": 3,
    "unit": "C",
    "near": ["Moss", "Drammen"],
    "wind": {"above": 1.5},
    "now": True,
}
SOME: dict[str, object] = {"city": 'a "b" <c>', "days": -2}
WRONG: list[dict[str, object]] = [
    {"city": "Oslo"},
    {"city": "Oslo", "days": "three"},
    {"city": "Oslo", "days": 3, "unit": "K"},
    {"city": "Oslo", "days": 3, "sky": 1},
]

ALL = [replace(family, reasoning=None if family.headers else family.reasoning or THINK) for family in FAMILIES]
ALL = list({(family.name, family.call_syntaxes[0]): family for family in [*ALL, PROMPTED_FORMAT]}.values())
HARMONY = next(family for family in ALL if family.headers)


def call(arguments: dict[str, object], name: str = "get_weather", place: int = 0) -> ToolCall:
    return ToolCall(f"functions.{name}:{place}", name, json.dumps(arguments, ensure_ascii=False))


class Vocabulary:
    """A vocabulary of all bytes and a format's markers. The markers may be special tokens."""

    def __init__(self, format: OutputFormat, *, special: bool) -> None:
        markers = format.markers if special else ()
        self.backend = FakeBackend(Script(specials=markers), Limits(64, 1, 8))
        self.specials = {marker: END + n for n, marker in enumerate(markers, 1)}
        self.tokens = [bytes([n]) for n in range(256)] + [b"\xff<end>"] + [b"\xff" + m.encode() for m in markers]
        self.eos_token_id, self.bos_token_id = END, None
        self.special_token_ids = [END, *self.specials.values()]

    def __call__(self, text: bytes | str) -> list[int]:
        return list(text.encode() if isinstance(text, str) else text)

    def accepts(self, grammar: str, text: str) -> bool:
        matcher = LLMatcher(LLTokenizer(TokenizerWrapper(self)), grammar, log_level=0)
        assert not matcher.is_error(), matcher.get_error()
        tokens = self.backend.tokenize(text, add_special=False)
        return (
            matcher.validate_tokens(tokens) == len(tokens) and matcher.consume_tokens(tokens) and matcher.is_accepting()
        )


def grammar_for(
    format: OutputFormat,
    vocabulary: Vocabulary,
    choice: ToolChoice = "required",
    *,
    parallel: bool = True,
    starts_in_reasoning: bool = False,
    tools: Sequence[Tool] = (WEATHER, CLOCK),
) -> str:
    grammar = build_tool_call_grammar(
        format, tools, choice, parallel, special_tokens=vocabulary.specials, starts_in_reasoning=starts_in_reasoning
    )
    return grammar_text(grammar)


def render(format: OutputFormat, *calls: ToolCall) -> str:
    syntax = format.call_syntaxes[0]
    if "{id}" in syntax.call and "{name}" not in syntax.call:
        return render_tool_calls(syntax, calls)
    return render_tool_calls(syntax, [replace(each, id=f"abcDEF12{n}") for n, each in enumerate(calls)])


@pytest.mark.parametrize("special", [False, True], ids=["text", "special"])
@pytest.mark.parametrize("format", ALL, ids=lambda format: format.name)
def test_grammar_allows_only_tool_calls_that_match_the_schema(format: OutputFormat, special: bool) -> None:
    vocabulary = Vocabulary(format, special=special)
    grammar = grammar_for(format, vocabulary)
    for arguments in (FULL, SOME):
        assert vocabulary.accepts(grammar, render(format, call(arguments))), arguments
    assert vocabulary.accepts(grammar, render(format, call({}, "clock")))
    for arguments in WRONG:
        assert not vocabulary.accepts(grammar, render(format, call(arguments))), arguments
    assert not vocabulary.accepts(grammar, render(format, call({}, "radio")))
    assert not vocabulary.accepts(grammar, "It rains.")


@pytest.mark.parametrize("format", ALL, ids=lambda format: format.name)
def test_grammar_for_named_tool_allows_no_other_tool(format: OutputFormat) -> None:
    vocabulary = Vocabulary(format, special=True)
    grammar = grammar_for(format, vocabulary, NamedTool("clock"))
    assert vocabulary.accepts(grammar, render(format, call({}, "clock")))
    assert not vocabulary.accepts(grammar, render(format, call(SOME)))


@pytest.mark.parametrize("format", [f for f in ALL if not f.headers], ids=lambda format: format.name)
def test_several_tool_calls_are_allowed_only_if_request_allows_parallel_calls(format: OutputFormat) -> None:
    vocabulary = Vocabulary(format, special=True)
    two = render(format, call(SOME), call({}, "clock", 1))
    assert vocabulary.accepts(grammar_for(format, vocabulary), two)
    assert not vocabulary.accepts(grammar_for(format, vocabulary, parallel=False), two)


@pytest.mark.parametrize("special", [False, True], ids=["text", "special"])
@pytest.mark.parametrize("format", [f for f in ALL if f.reasoning], ids=lambda format: format.name)
def test_grammar_allows_reasoning_before_tool_calls(format: OutputFormat, special: bool) -> None:
    assert format.reasoning is not None
    vocabulary = Vocabulary(format, special=special)
    reasoning, rendered = f"hm < hm\n{format.reasoning.close}\n\n", render(format, call(SOME))
    assert vocabulary.accepts(grammar_for(format, vocabulary), format.reasoning.open + reasoning + rendered)
    assert vocabulary.accepts(grammar_for(format, vocabulary, starts_in_reasoning=True), reasoning + rendered)
    assert not vocabulary.accepts(grammar_for(format, vocabulary, starts_in_reasoning=True), rendered)


@pytest.mark.parametrize("special", [False, True], ids=["text", "special"])
def test_grammar_for_message_headers_allows_reasoning_then_one_tool_call(special: bool) -> None:
    vocabulary = Vocabulary(HARMONY, special=special)
    reasoning = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant"
    rendered = render(HARMONY, call(SOME))
    final = "<|channel|>final<|message|>It rains."
    required = grammar_for(HARMONY, vocabulary)
    assert vocabulary.accepts(required, rendered)
    assert vocabulary.accepts(required, reasoning + rendered)
    assert not vocabulary.accepts(required, reasoning + final)
    assert not vocabulary.accepts(required, render(HARMONY, call(WRONG[0])))


@pytest.mark.parametrize("special", [False, True], ids=["text", "special"])
@pytest.mark.parametrize("format", [f for f in ALL if call_marker(f)], ids=lambda format: format.name)
def test_grammar_after_tool_call_marker_allows_the_rest_of_the_call(format: OutputFormat, special: bool) -> None:
    vocabulary = Vocabulary(format, special=special)
    grammar = grammar_for(format, vocabulary, "auto")
    for rendered in (render(format, call(SOME)), render(format, call(FULL), call({}, "clock", 1))):
        assert rendered.startswith(call_marker(format))
        assert vocabulary.accepts(grammar, rendered.removeprefix(call_marker(format)))
    assert not vocabulary.accepts(grammar, render(format, call(WRONG[0])).removeprefix(call_marker(format)))
    one = grammar_for(format, vocabulary, "auto", parallel=False)
    assert vocabulary.accepts(one, render(format, call(SOME)).removeprefix(call_marker(format)))


def test_formats_with_message_headers_or_without_opening_markers_have_no_call_marker() -> None:
    without = {format.name for format in ALL if not call_marker(format)}
    assert without == {"harmony", "llama"}


LOOSE = Tool("lookup", "", '{"type":["object","null"],"properties":{"near":{"type":"string"}},"required":["term"]}')
EMPTY = Tool("clear", "", '{"type":"object","properties":null,"required":null,"description":null}')


@pytest.mark.parametrize("format", ALL, ids=lambda format: format.name)
def test_required_argument_that_schema_does_not_name_may_have_any_value(format: OutputFormat) -> None:
    vocabulary = Vocabulary(format, special=True)
    grammar = grammar_for(format, vocabulary, tools=(LOOSE,))
    full: dict[str, object] = {"near": "Oslo", "term": "rain"}
    assert vocabulary.accepts(grammar, render(format, call(full, "lookup")))
    assert vocabulary.accepts(grammar, render(format, call({"term": "rain"}, "lookup")))
    assert not vocabulary.accepts(grammar, render(format, call({"near": "Oslo"}, "lookup")))


@pytest.mark.parametrize("format", ALL, ids=lambda format: format.name)
def test_null_keywords_of_tool_schema_are_ignored(format: OutputFormat) -> None:
    vocabulary = Vocabulary(format, special=True)
    assert vocabulary.accepts(grammar_for(format, vocabulary, tools=(EMPTY,)), render(format, call({}, "clear")))
