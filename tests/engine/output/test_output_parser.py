"""OutputParser: text, reasoning and tool calls are the same however the answer is split."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.events import Delta, ReasoningDelta, TextDelta, ToolCallDelta, ToolCallStarted
from engine.output.model_families import FAMILIES, PROMPTED_FORMAT, THINK, detect_family
from engine.output.output_parser import OutputParser
from engine.output.tool_call_renderer import render_tool_calls
from engine.output.tool_call_syntax import OutputFormat, ToolCallSyntax
from engine.requests import Tool, ToolCall

WEATHER = Tool(
    "get_weather",
    "The weather",
    json.dumps(
        {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer"},
                "wind": {"type": ["number", "null"]},
                "more": {"$ref": "#/$defs/more"},
                "list": {"type": "array"},
                "now": {"type": "boolean"},
                "any": {},
            },
            "$defs": {"more": {"type": "object"}},
        }
    ),
)
CLOCK = Tool("clock")
TOOLS = (WEATHER, CLOCK)
ARGUMENTS = {"city": 'O "\n\n\\<b>&{é🌦', "days": 3, "wind": -1.5e3, "more": {"a": [1, None, "}"]}, "now": False}
CALLS = (
    ToolCall("functions.get_weather:0", "get_weather", json.dumps(ARGUMENTS, ensure_ascii=False)),
    ToolCall("functions.clock:1", "clock", "{}"),
)


def whole(family: OutputFormat) -> OutputFormat:
    """The format of a family, including the reasoning markers that `detect_family` adds."""
    return replace(family, reasoning=None if family.headers else family.reasoning or THINK)


ALL = [whole(family) for family in (*FAMILIES, PROMPTED_FORMAT)]
SYNTAXES = list({calls: (family, calls) for family in ALL for calls in family.call_syntaxes}.values())
BY_NAME = {family.name: family for family in ALL}


@dataclass
class Answer:
    """The joined deltas of an answer."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str, str], ...] = ()
    """Id, name and arguments of each call."""


def parse(
    format: OutputFormat, pieces: Iterable[str], tools: Sequence[Tool] = TOOLS, *, starts_in_reasoning: bool = False
) -> list[Delta]:
    numbers = itertools.count()
    parser = OutputParser(format, tools, lambda: f"id{next(numbers)}", starts_in_reasoning=starts_in_reasoning)
    deltas: list[Delta] = []
    for piece in pieces:
        deltas.extend(parser.feed(piece))
    return deltas + parser.finish()


def joined(deltas: Iterable[Delta]) -> Answer:
    """Joins deltas to an answer. Also checks that calls start once, in order and before their arguments, and that no
    delta is empty."""
    answer = Answer()
    calls: list[list[str]] = []
    for delta in deltas:
        match delta:
            case TextDelta(text=text):
                assert text
                answer.text += text
            case ReasoningDelta(text=text):
                assert text
                answer.reasoning += text
            case ToolCallStarted(index, id, name):
                assert index == len(calls)
                calls.append([id, name, ""])
            case ToolCallDelta(index, text):
                assert text
                assert index == len(calls) - 1
                calls[index][2] += text
    answer.calls = tuple((id, name, arguments) for id, name, arguments in calls)
    return answer


def answer(format: OutputFormat | str, text: str, **options: object) -> Answer:
    chosen = BY_NAME[format] if isinstance(format, str) else format
    return joined(parse(chosen, [text], **options))  # type: ignore[arg-type]


def render(family: OutputFormat, calls: ToolCallSyntax) -> str:
    tool_calls = CALLS[:1] if family.headers else CALLS
    before = "" if calls.is_bare else "Well.\n\n"
    if family.headers:
        before = "<|channel|>analysis<|message|>hm <| hm<|end|><|start|>assistant"
    elif family.reasoning:
        before = f"{family.reasoning.open}hm < hm\n{family.reasoning.close}\n\n{before}"
    return before + render_tool_calls(calls, tool_calls)


@pytest.mark.parametrize(("family", "calls"), SYNTAXES, ids=lambda value: getattr(value, "name", None))
def test_tool_calls_of_every_syntax_parse_the_same_at_every_split(family: OutputFormat, calls: ToolCallSyntax) -> None:
    text = render(family, calls)
    want = answer(family, text)
    assert want.text == ("" if calls.is_bare or family.headers else "Well.")
    assert want.reasoning == ("hm <| hm" if family.headers else "hm < hm")
    n_calls = 1 if family.headers else 2
    assert [name for _, name, _ in want.calls] == ["get_weather", "clock"][:n_calls]
    assert [json.loads(arguments) for _, _, arguments in want.calls] == [ARGUMENTS, {}][:n_calls]
    for cut in range(len(text) + 1):
        assert joined(parse(family, (text[:cut], text[cut:]))) == want
    assert joined(parse(family, text)) == want


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("ab\"'\\ \n{}[]:,é🌦", max_size=6),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text("abc", min_size=1), values, max_size=3),
    max_leaves=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), value=json_values, text=st.text("ab<>/\"'\\ \n{}[]|=é🌦", max_size=12))
def test_tool_call_arguments_are_unchanged_by_rendering_and_parsing(
    data: st.DataObject, value: object, text: str
) -> None:
    for family, calls in SYNTAXES:
        given = {"city": text.strip("\n") if "cdata" in calls.parameter else text, "list": value}
        tool_call = ToolCall("functions.get_weather:0", "get_weather", json.dumps(given, ensure_ascii=False))
        stream = render_tool_calls(calls, (tool_call,))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
        pieces = [stream[a:b] for a, b in itertools.pairwise([0, *cuts, len(stream)])]
        found = joined(parse(family, pieces))
        ((_, name, arguments),) = found.calls
        assert name == "get_weather"
        assert found.text == found.reasoning == ""
        # Between tags, the string "5" and the number 5 look the same, and the schema gives no type to distinguish them.
        if not calls.parameter or not isinstance(value, str):
            assert json.loads(arguments) == given
        else:
            assert json.loads(arguments)["city"] == given["city"]


def fragments(family: OutputFormat) -> list[str]:
    """Markers, parts of markers and text between them, which are combined at random."""
    texts = [text for calls in family.call_syntaxes for text in (*calls.section, calls.call, calls.parameter)]
    texts += [render(family, calls) for calls in family.call_syntaxes]
    markers = [*family.markers, *family.eog_texts, "<think>", "</think>"]
    halves = [marker[: len(marker) // 2] for marker in markers]
    rest = ["{", "}", "[", "]", '"', ":", ",", "\n", " ", "get_weather", '"name":', '"arguments":', "=", ">", "(", ")"]
    return [*markers, *halves, *rest, *(text for text in texts if text)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_answer_fragments_parse_the_same_at_every_split(data: st.DataObject) -> None:
    for family in ALL:
        parts = data.draw(st.lists(st.sampled_from(fragments(family)), max_size=12))
        words = [f"w{n}w" for n in range(len(parts))]
        text = "".join(part + word for part, word in zip(parts, words, strict=True))
        starts_in_reasoning = data.draw(st.booleans()) and family.headers is None
        want = joined(parse(family, (text,), starts_in_reasoning=starts_in_reasoning))
        assert joined(parse(family, text, starts_in_reasoning=starts_in_reasoning)) == want
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
        pieces = [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])]
        assert joined(parse(family, pieces, starts_in_reasoning=starts_in_reasoning)) == want


@settings(max_examples=50, deadline=None)
@given(text=st.text('ab <>|/[]{}\n`"', max_size=40))
def test_random_text_of_marker_characters_is_unchanged(text: str) -> None:
    for family in ALL:
        assert answer(family, text) == Answer(text=text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hermes", "<tool_call>"),
        ("hermes", "a <tool_call>\nno json</tool_call> b"),
        ("hermes", '<tool_call>{"name": "clock"'),
        ("hermes", '<tool_call>{"arguments": {"a": 1}}</tool_call>'),
        ("hermes", '<tool_call>{"name": 3, "arguments": {}}</tool_call>'),
        ("hermes", '<tool_call>["clock"]</tool_call>'),
        ("qwen-xml", "<tool_call>\n<function=>\n</function></tool_call>"),
        ("qwen-xml", "<tool_call>\n<function=clock and so on"),
        ("glm", "<tool_call>well then</tool_call>"),
        ("mistral", "[TOOL_CALLS]clock[ARGS]now"),
        ("mistral-list", "[TOOL_CALLS]"),
        ("kimi-k2", "<|tool_calls_section_begin|> so"),
        ("deepseek-v3.1", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>clock<｜tool▁call▁end｜>"),
        ("gemma", "<|tool_call>call:clock<tool_call|>"),
        ("lfm2", "<|tool_call_start|>[clock]<|tool_call_end|>"),
        ("llama", '{"name": "Anna", "parameters": {}}'),
        ("llama", '{"name": "clock"'),
        ("llama", 'So: {"name": "clock", "parameters": {}}'),
        ("llama", "[1, 2]"),
        ("minimax", '<minimax:tool_call>\n<invoke name="">'),
    ],
)
def test_malformed_tool_call_is_unchanged_text(name: str, text: str) -> None:
    for pieces in ((text,), text):
        assert joined(parse(BY_NAME[name], pieces)) == Answer(text=text)


def test_tool_call_after_malformed_one_is_parsed() -> None:
    found = answer("hermes", '<tool_call>oops <tool_call>{"name": "clock", "arguments": {}}</tool_call>')
    assert found == Answer(text="<tool_call>oops", calls=(("id0", "clock", "{}"),))


def test_tool_call_is_text_if_no_tools_are_offered() -> None:
    text = 'x <tool_call>{"name": "clock", "arguments": {}}</tool_call>'
    assert answer("hermes", text, tools=()) == Answer(text=text)


@pytest.mark.parametrize(
    ("name", "text", "want"),
    [
        ("hermes", '<tool_call>{"arguments": {"a": 1}, "name": "clock"}</tool_call>', '{"a": 1}'),
        ("hermes", '<tool_call>{"name": "clock"}</tool_call>', "{}"),
        ("hermes", '<tool_call>{"name": "clock", "arguments": null}</tool_call>', "{}"),
        ("hermes", '<tool_call>{"name": "clock", "arguments": "{\\"a\\": 1}"}</tool_call>', '{"a": 1}'),
        ("hermes", '<tool_call>{"name": "clock", "arguments": {"a": 1}</tool_call>', '{"a": 1}'),
        ("hermes", '<tool_call>{"name": "clock", "arguments": {"a": 1}}', '{"a": 1}'),
        ("hermes", '<tool_call>[{"name": "clock", "arguments": {"a": 1}}]</tool_call>', '{"a": 1}'),
        ("hermes", '<tool_call>{"type": "function", "function": {"name": "clock", "arguments": {}}}</tool_call>', "{}"),
        ("prompted", '{"name": "clock", "arguments": {"a": 1}}', '{"a": 1}'),
        ("qwen-xml", "<function=clock>\n<parameter=a>1</parameter></function>", '{"a": 1}'),
        (
            "qwen-xml",
            "<tool_call>\n<function=clock>\n<parameter=a>\n\nb\n\n</parameter>\n</function>",
            '{"a": "\\nb\\n"}',
        ),
        ("glm", "<tool_call>clock<arg_key>a</arg_key><arg_value>True</arg_value></tool_call>", '{"a": true}'),
        ("deepseek-v3.1", "<｜tool▁call▁begin｜>clock<｜tool▁sep｜>{}<｜tool▁call▁end｜>", "{}"),
        ("mistral-list", '[TOOL_CALLS] {"name": "clock", "arguments": {}}', "{}"),
        ("lfm2", "<|tool_call_start|>[clock(a='it\\'s', b=None)]<|tool_call_end|>", '{"a": "it\'s", "b": null}'),
        ("llama", "<|python_tag|>clock.call(a=1)", '{"a": 1}'),
        ("llama", '\n{"type": "function", "name": "clock", "parameters": {"a": 1}}', '{"a": 1}'),
        ("gemma", "<|tool_call>call:clock{a:'x',b:{c:[1,true]}}<tool_call|>", '{"a": "x", "b": {"c": [1, true]}}'),
        ("functiongemma", "<start_function_call>call:clock{a:<escape>x, y<escape>}", '{"a": "x, y"}'),
    ],
)
def test_tool_call_with_minor_syntax_errors_is_parsed(name: str, text: str, want: str) -> None:
    for pieces in ((text,), text):
        found = joined(parse(BY_NAME[name], pieces))
        assert found.text == ""
        assert [(call[1], json.loads(call[2])) for call in found.calls] == [("clock", json.loads(want))]


def test_tool_call_arguments_without_names_get_names_in_schema_order() -> None:
    found = answer("lfm2", '<|tool_call_start|>[get_weather("Oslo", 3)]<|tool_call_end|>')
    assert json.loads(found.calls[0][2]) == {"city": "Oslo", "days": 3}


def test_schema_decides_which_argument_values_are_strings() -> None:
    text = (
        "<tool_call>\n<function=get_weather>\n<parameter=city>\n12\n</parameter>\n<parameter=days>\n12\n</parameter>\n"
        "<parameter=wind>\nnull\n</parameter>\n<parameter=now>\nno\n</parameter>\n<parameter=other>\n[1]\n</parameter>\n"
        "</function>\n</tool_call>"
    )
    arguments = json.loads(answer("qwen-xml", text).calls[0][2])
    assert arguments == {"city": "12", "days": 12, "wind": None, "now": "no", "other": [1]}


def test_string_argument_streams_without_its_closing_tag() -> None:
    parser = OutputParser(BY_NAME["qwen-xml"], TOOLS, lambda: "id")
    head = "<tool_call>\n<function=get_weather>\n<parameter=city>\n"
    assert parser.feed(head) == [ToolCallStarted(0, "id", "get_weather"), ToolCallDelta(0, '{"city": "')]
    assert parser.feed('a"b\n</param') == [ToolCallDelta(0, 'a\\"b')]
    assert parser.feed("s>") == [ToolCallDelta(0, "\\n</params>")]
    assert parser.feed("\n</parameter>") == [ToolCallDelta(0, '"')]
    assert parser.feed("\n</function>\n</tool_call>") == [ToolCallDelta(0, "}")]
    assert parser.finish() == []


def test_json_arguments_of_tool_call_stream_without_delay() -> None:
    parser = OutputParser(BY_NAME["hermes"], TOOLS, lambda: "id")
    assert parser.feed('<tool_call>\n{"name": "get_weather", "argum') == []
    assert parser.feed('ents": {"ci') == [ToolCallStarted(0, "id", "get_weather"), ToolCallDelta(0, '{"ci')]
    assert parser.feed('ty": "</tool_call>') == [ToolCallDelta(0, 'ty": "</tool_call>')]
    assert parser.feed('"}}\n</tool') == [ToolCallDelta(0, '"}')]
    assert parser.feed("_call>") == parser.finish() == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hermes", '<tool_call>{"name": "get_weather", "arguments": {"city": "Os'),
        ("qwen-xml", "<tool_call>\n<function=get_weather>\n<parameter=city>\nOslo\n</parameter>\n"),
        ("gemma", '<|tool_call>call:get_weather{city:<|"|>Os'),
        ("glm", "<tool_call>get_weather\n<arg_key>days</arg_key>\n<arg_value>1"),
    ],
)
def test_arguments_of_truncated_tool_call_stay_unclosed(name: str, text: str) -> None:
    ((_, called, arguments),) = answer(name, text).calls
    assert called == "get_weather"
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(arguments)


def test_text_after_malformed_tool_call_arguments_is_plain_text() -> None:
    text = "<tool_call>\n<function=clock>\n<parameter=a>\n1\n</parameter>\nand so on</function>"
    found = answer("qwen-xml", text)
    assert found == Answer(text="and so on</function>", calls=(("id0", "clock", '{"a": 1'),))


def test_extremely_deep_or_long_tool_call_is_parsed_without_error() -> None:
    deep = answer("gemma", "<|tool_call>call:clock{a:" + "[" * 5000)
    assert deep.calls[0][1] == "clock"
    assert answer("hermes", '<tool_call>{"name": "clock", "arguments": ' + "[" * 50_000).calls[0][2] == "[" * 50_000
    assert answer("hermes", '<tool_call>{"' + "a" * 20_000).text.endswith("aaa")


@pytest.mark.parametrize(
    ("template", "text", "reasoning", "answer_text"),
    [
        ("", "<think>\nhm\n</think>\n\nYes.", "hm", "Yes."),
        ("", "<think>\n\n</think>\n\nYes.", "", "Yes."),
        ("", "Use <think> tags.\n", "", "Use <think> tags.\n"),
        ("", "</think>\n\nYes.", "", "Yes."),
        ("", "\n<think>hm", "hm", ""),
        ("[TOOL_CALLS][THINK]", "Well. [THINK]hm[/THINK]Yes.", "hm", "Well.Yes."),
        ("<seed:think>", "<seed:think>hm</seed:think>Yes.", "hm", "Yes."),
        ("<|start_of_role|><think>", "<think>hm</think>\n<response>Yes.</response>\n", "hm", "Yes."),
        ("<|start_of_role|><think>", "<response>Yes.</response>", "", "<response>Yes.</response>"),
        ("<|channel><channel|><|tool_call><tool_call|>", "<|channel>thought\nhm\n<channel|>Yes.", "hm", "Yes."),
        (
            "<|START_ACTION|><|START_THINKING|>",
            "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Yes.",
            "hm",
            "Yes.",
        ),
        ("<|tool_call:begin|>", "<|think|>hm<|end|><|begin|>assistant<|content|>Yes.", "hm", "Yes."),
    ],
)
def test_reasoning_is_separated_from_the_answer(template: str, text: str, reasoning: str, answer_text: str) -> None:
    for pieces in ((text,), text):
        assert joined(parse(detect_family(template), pieces)) == Answer(answer_text, reasoning)


def test_answer_starts_with_reasoning_if_prompt_started_it() -> None:
    assert answer("hermes", "hm\n</think>\n\nYes.", starts_in_reasoning=True) == Answer("Yes.", "hm")


def test_tool_call_inside_unclosed_reasoning_is_parsed_if_it_names_an_offered_tool() -> None:
    call = '<tool_call>{"name": "clock", "arguments": {}}</tool_call>'
    assert answer("hermes", f"hm {call}", starts_in_reasoning=True) == Answer("", "hm", (("id0", "clock", "{}"),))
    other = call.replace("clock", "example")
    assert answer("hermes", f"hm {other} hm</think>No.", starts_in_reasoning=True) == Answer("No.", f"hm {other} hm")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes.",
            Answer("Yes.", "hm"),
        ),
        ("<|channel|>final<|message|>Yes.<|return|>", Answer("Yes.")),
        (
            "<|channel|>commentary<|message|>Wait.<|end|><|start|>assistant<|channel|>commentary "
            'to=functions.clock <|constrain|>json<|message|>{"a": 1}<|call|>',
            Answer("Wait.", calls=(("id0", "clock", '{"a": 1}'),)),
        ),
        (" to=functions.clock<|channel|>commentary json<|message|>{}", Answer(calls=(("id0", "clock", "{}"),))),
        (
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>analysis<|message|>b<|end|>",
            Answer(reasoning="a\n\nb"),
        ),
        ("<|channel|>analysis to=python<|message|>1+1", Answer(reasoning="1+1")),
        ("<|channel|>commentary to=functions.clock<|message|>no json", Answer("no json")),
        ("No header.", Answer("No header.")),
        ("<|channel|>fin", Answer("<|channel|>fin")),
    ],
)
def test_messages_with_headers_are_separated_by_channel(text: str, want: Answer) -> None:
    for pieces in ((text,), text):
        assert joined(parse(BY_NAME["harmony"], pieces)) == want
