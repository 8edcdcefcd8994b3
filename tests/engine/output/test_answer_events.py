"""Answers in config, from the request to the stream, over the fake: reasoning, text and tool calls as events."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.engine import Engine
from engine.errors import RequestError
from engine.events import (
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)
from engine.output.answer_assembler import AnswerAssembler
from engine.output.chat_format import detect_chat_format
from engine.requests import ChatRequest, Message, NamedTool, Tool, ToolCall
from engine.stream import merged
from tests.conftest import chat
from tests.engine.output.chat_templates import TEMPLATES
from tests.engine.test_engine import check_shape, engine_over, events_of
from tests.fakes import FakeOpener, Script

CLOCK = Tool("clock", "Tells the time.")
WEATHER = Tool("get_weather", "The weather.", '{"type": "object", "properties": {"city": {"type": "string"}}}')
TOOLS = (WEATHER, CLOCK)
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
OTHER = '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>'

HERMES = TEMPLATES["hermes"] + "{# <think> #}"
QWEN = TEMPLATES["qwen-xml"] + "{# <think> #}"
HARMONY = TEMPLATES["harmony"]
HARMONY_TOKENS = ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>", "<|call|>", "<|return|>")


def answers(script: Script, request: ChatRequest) -> list[Event]:
    async def run() -> list[Event]:
        opener = FakeOpener(script)
        async with engine_over(opener) as engine:
            events = await events_of(engine.submit(request))
            assert opener.backends[0].n_open_samplers == 0
        check_shape(events)
        return events

    return asyncio.run(run())


def asking(**changes: object) -> ChatRequest:
    return replace(chat(max_tokens=500), **{"tools": TOOLS, **changes})  # type: ignore[arg-type]


def told(events: Iterable[Event]) -> tuple[str, str, list[tuple[str, str]], str]:
    """Text, reasoning, calls, and why it ended."""
    text, thought, reason = "", "", ""
    calls: list[tuple[str, str]] = []
    for event in events:
        match event:
            case TextDelta():
                text += event.text
            case ReasoningDelta():
                thought += event.text
            case ToolCallStarted():
                assert event.index == len(calls)
                assert event.id
                calls.append((event.name, ""))
            case ToolCallDelta():
                assert event.index == len(calls) - 1
                calls[-1] = (calls[-1][0], calls[-1][1] + event.arguments)
            case Finished():
                reason = event.reason
    return text, thought, calls, reason


def said(answer: str, template: str | None = HERMES, **script: object) -> Script:
    return Script(answer=answer.encode(), template=template, **script)  # type: ignore[arg-type]


def test_reasoning_text_and_calls_come_as_events() -> None:
    events = answers(said(f"<think>\nhm\n</think>\n\nI'll look.\n{CALL}\n{OTHER}"), asking())
    calls = [("get_weather", '{"city": "Oslo"}'), ("clock", "{}")]
    assert told(events) == ("I'll look.", "hm", calls, "tool_calls")
    first = [ReasoningDelta, TextDelta, ToolCallStarted, ToolCallDelta]
    order = [kind for kind, _ in itertools.groupby(type(event) for event in events)]
    assert order == [Started, *first, ToolCallStarted, ToolCallDelta, Finished]


def test_nothing_waits_that_is_not_the_beginning_of_a_marker() -> None:
    chat_format = detect_chat_format(HERMES, lambda text: list(text.encode()), frozenset())
    config = chat_format.parser_config("", "", TOOLS, single_call=False)
    answer, marked = "So a<b, no? [1] {2}\nx <toolbox>", range(24, 30)
    assembler = AnswerAssembler((), config)
    text = ""
    for n, char in enumerate(answer, 1):
        text += told(assembler.feed(char.encode())[0])[0]
        # White space and a "<" wait for what follows them.
        assert n in marked or text in (answer[:n], answer[: n - 1], answer[: n - 2])
    assert text == answer


def test_a_model_without_a_format_needs_no_parser() -> None:
    chat_format = detect_chat_format(None, lambda text: list(text.encode()), frozenset())
    assert chat_format.parser_config("", "", (), single_call=False) is None
    thinking = detect_chat_format("<think>", lambda text: list(text.encode()), frozenset())
    assert thinking.parser_config("", "", (), single_call=False) is not None


def test_a_thought_that_the_prompt_opened() -> None:
    events = answers(said("hm, hm</think>\n\nYes.", QWEN), asking(tools=()))
    assert told(events) == ("Yes.", "hm, hm", [], "stop")


def test_going_on_with_an_answer_is_no_thought() -> None:
    events = answers(said(" and wide. <think>", QWEN), asking(tools=(), answer_start="The sea is deep"))
    assert told(events) == (" and wide. <think>", "", [], "stop")


def test_markers_that_are_special_tokens() -> None:
    answer = (
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather "
        '<|constrain|>json<|message|>{"city": "Oslo"}<|call|>and more'
    )
    events = answers(said(answer, HARMONY, specials=HARMONY_TOKENS), asking())
    assert told(events) == ("", "hm", [("get_weather", '{"city": "Oslo"}')], "tool_calls")
    answer = "<|channel|>final<|message|>Yes.<|return|>no more"
    assert told(answers(said(answer, HARMONY, specials=HARMONY_TOKENS), asking())) == ("Yes.", "", [], "stop")


def test_an_answer_that_goes_on_under_its_header() -> None:
    script = said(" is wide.<|return|>", HARMONY, specials=HARMONY_TOKENS)
    assert told(answers(script, asking(answer_start="The sea"))) == (" is wide.", "", [], "stop")


def test_min_tokens_reaches_the_formats_own_ends() -> None:
    async def run() -> None:
        opener = FakeOpener(said("x", HARMONY, specials=HARMONY_TOKENS))
        async with engine_over(opener) as engine:
            backend = opener.backends[0]
            seen = []
            logits = backend.logits
            backend.logits = lambda row: seen.append(logits(row)) or seen[-1]  # type: ignore[func-returns-value,method-assign]
            await events_of(engine.submit(asking(min_tokens=1)))
            ends = {token for token, logit in enumerate(seen[0]) if logit == float("-inf")}
            assert ends == {256, *backend.tokenize("<|call|><|return|>", add_special=False)}

    asyncio.run(run())


@pytest.mark.parametrize(
    ("stop", "want"),
    [
        (("hm",), ("Done. hm"[:6], "hm", [], "stop")),
        (("Oslo",), ("Done. hm", "hm", [("get_weather", '{"city": "Oslo"}')], "tool_calls")),
        (("hm</think>",), ("Done. hm", "hm", [("get_weather", '{"city": "Oslo"}')], "tool_calls")),
    ],
)
def test_stop_strings_count_in_the_text_only(stop: tuple[str, ...], want: object) -> None:
    assert told(answers(said(f"<think>hm</think>Done. hm{CALL}"), asking(stop=stop))) == want


def test_text_that_began_like_a_stop_string_comes_before_the_call() -> None:
    events = answers(said(f"En{CALL}"), asking(stop=("End",)))
    assert told(events) == ("En", "", [("get_weather", '{"city": "Oslo"}')], "tool_calls")
    assert isinstance(events[1], TextDelta)


@pytest.mark.parametrize("answer", [f"Well. {CALL}\n{OTHER}", f"Well. {CALL} And then?"])
def test_without_parallel_calls_the_first_one_ends_the_answer(answer: str) -> None:
    events = answers(said(answer), asking(parallel_tool_calls=False))
    assert told(events) == ("Well.", "", [("get_weather", '{"city": "Oslo"}')], "tool_calls")
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.usage.n_output == answer.index("}") + 1, "it went on"


def test_a_call_that_max_tokens_cut_is_no_whole_one() -> None:
    text, _, calls, reason = told(answers(said(CALL), asking(max_tokens=CALL.index("slo"))))
    assert (text, reason) == ("", "length")
    assert calls == [("get_weather", '{"city": "O')]


def test_cancelled_in_the_middle_of_a_call() -> None:
    async def run() -> None:
        opener = FakeOpener(said(CALL + "x" * 1000, step_s=0.003))
        async with engine_over(opener) as engine:
            stream = engine.submit(asking())
            events: list[Event] = []
            async for event in stream:
                events.append(event)
                if isinstance(event, ToolCallDelta):
                    stream.cancel()
            check_shape(events)
            _, _, ((name, arguments),), reason = told(events)
            assert (name, reason) == ("get_weather", "cancelled")
            assert '{"city": "Oslo"}'.startswith(arguments)
            assert len(arguments) < 16
            assert opener.backends[0].n_open_samplers == 0

    asyncio.run(run())


def test_what_was_held_back_comes_when_cancelled() -> None:
    async def run() -> None:
        opener = FakeOpener(said("a <tool_c" + "a" * 5 + "<tool_call>" * 100, step_s=0.003))
        async with engine_over(opener) as engine:
            stream = engine.submit(asking())
            text = ""
            async for event in stream:
                if isinstance(event, TextDelta):
                    text += event.text
                    stream.cancel()
                last = event
            assert isinstance(last, Finished)
            assert text
            assert opener.script.answer is not None
            assert opener.script.answer.decode().startswith(text)

    asyncio.run(run())


def test_tools_that_may_not_be_called_are_not_shown_and_not_read() -> None:
    async def run() -> None:
        opener = FakeOpener(said(CALL))
        async with engine_over(opener) as engine:
            events = await events_of(engine.submit(asking(tool_choice="none")))
            assert told(events) == (CALL, "", [], "stop")
            bare = await events_of(engine.submit(asking(tools=())))
            assert n_prompt(bare) == n_prompt(events) < n_prompt(await events_of(engine.submit(asking())))

    asyncio.run(run())


def n_prompt(events: list[Event]) -> int:
    assert isinstance(events[0], Started)
    return events[0].n_prompt


@pytest.mark.parametrize("template", [None, HERMES])
def test_without_tools_or_thoughts_text_is_plain(template: str | None) -> None:
    answer = f" <tool_call> {{}} {CALL}"
    assert told(answers(said(answer, template), asking(tools=()))) == (answer, "", [], "stop")


def test_a_model_that_knows_no_tools_calls_them_all_the_same() -> None:
    events = answers(said(CALL, None), asking())
    assert told(events) == ("", "", [("get_weather", '{"city": "Oslo"}')], "tool_calls")
    bare = answers(said('{"name": "clock", "arguments": {}}', None), asking())
    assert told(bare) == ("", "", [("clock", "{}")], "tool_calls")


def test_a_chat_with_calls_and_results_reaches_the_model() -> None:
    async def run() -> None:
        for template in (HERMES, QWEN, HARMONY, None):
            opener = FakeOpener(said("It rains.", template))
            async with engine_over(opener) as engine:
                call = ToolCall("call_1", "get_weather", '{"city": "Oslo"}')
                messages = (
                    Message("user", "How is it?"),
                    Message("assistant", "", (call,)),
                    Message("tool", "Rain.", tool_call_id="call_1"),
                )
                await events_of(engine.submit(asking(messages=messages)))
                (held,) = opener.backends[0].slots.values()
                prompt = bytes(token for token in held if token < 256).decode()
                assert prompt.index("How is it?") < prompt.rindex("Oslo") < prompt.index("Rain.")

    asyncio.run(run())


def test_thinking_and_effort_reach_the_template() -> None:
    source = "{% if enable_thinking is defined %}think={{ enable_thinking }}{% endif %}{{ reasoning_effort }}|"

    async def run() -> None:
        opener = FakeOpener(said("x", source))
        async with engine_over(opener) as engine:
            await events_of(engine.submit(asking(thinking=True, effort="low", tools=())))
            (held,) = opener.backends[0].slots.values()
            assert bytes(held).startswith(b"think=Truelow|")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tools": (), "tool_choice": "required"}, "no tools"),
        ({"tool_choice": NamedTool("radio")}, "no tool named radio"),
        ({"tools": (CLOCK, CLOCK)}, "two tools"),
        ({"tools": (Tool("a b"),)}, "name"),
        ({"tools": (Tool("clock", "", "[]"),)}, "schema"),
        ({"tools": (Tool("clock", "", "{"),)}, "schema"),
    ],
)
def test_what_cannot_be_asked_is_an_error_before_the_first_token(changes: dict[str, object], reason: str) -> None:
    (failed,) = answers(said(CALL), asking(**changes))
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, RequestError)
    assert reason in str(failed.error)


def test_log_probabilities_are_those_of_the_text() -> None:
    events = answers(said(f"<think>hm</think>Yes.{CALL}"), asking(n_logprobs=1))
    choices = [choice for event in events if isinstance(event, TextDelta) for choice in event.choices]
    assert b"".join(choice.token for choice in choices) == b"Yes."
    # The token that ends a channel may not be told apart from the channel's own.
    n_tokens = sum(event.n_tokens for event in events if isinstance(event, TextDelta | ReasoningDelta))
    assert n_tokens <= len(f"<think>hm</think>Yes.{CALL}")


def test_the_text_alone_can_be_collected() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener(said(f"<think>hm</think>Yes.{CALL}"))) as engine:
            text, finished = await engine.submit(asking()).collect()
            assert (text, finished.reason) == ("Yes.", "tool_calls")

    asyncio.run(run())


def test_deltas_that_piled_up_are_merged_by_channel() -> None:
    assert merged([TextDelta("a", 1), TextDelta("b", 2)]) == TextDelta("ab", 3)
    assert merged([ReasoningDelta("a", 1), ReasoningDelta("b", 2)]) == ReasoningDelta("ab", 3)
    assert merged([ToolCallDelta(1, "{"), ToolCallDelta(1, "}")]) == ToolCallDelta(1, "{}")


def test_piled_up_events_keep_their_order() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener(said(f"<think>hm</think>Yes.{CALL}{OTHER}"))) as engine:
            stream = engine.submit(asking())
            await asyncio.sleep(0.3)
            events = await events_of(stream)
            assert [type(event) for event in events] == [
                Started,
                ReasoningDelta,
                TextDelta,
                ToolCallStarted,
                ToolCallDelta,
                ToolCallStarted,
                ToolCallDelta,
                Finished,
            ]
            arguments = [event.arguments for event in events if isinstance(event, ToolCallDelta)]
            assert [json.loads(each) for each in arguments] == [{"city": "Oslo"}, {}]

    asyncio.run(run())


def test_a_model_is_changed_for_one_of_another_format() -> None:
    async def run() -> None:
        opener = FakeOpener(said(CALL, None))
        engine = Engine(opener)
        for template, want in ((HARMONY, CALL), (HERMES, "")):
            opener.script.template = template
            await engine.load(Path("fake.gguf"))
            assert told(await events_of(engine.submit(asking())))[0] == want
        await engine.aclose()

    asyncio.run(run())
