"""Reasoning, text and tool calls of an answer become events of its stream. The backend is a fake."""

from __future__ import annotations

import asyncio
import itertools
import json
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
    merge_deltas,
)
from engine.output.answer_assembler import AnswerAssembler
from engine.output.chat_format import detect_chat_format
from engine.requests import ChatRequest, Message, NamedTool, Tool, ToolCall
from tests.conftest import chat
from tests.engine.output.scripted_answers import HARMONY, HARMONY_TOKENS, HERMES, QWEN, run_request, script_for, summary
from tests.engine.test_engine import check_shape, engine_over, events_of
from tests.fakes import FakeOpener

CLOCK = Tool("clock", "Tells the time.")
WEATHER = Tool("get_weather", "The weather.", '{"type": "object", "properties": {"city": {"type": "string"}}}')
TOOLS = (WEATHER, CLOCK)
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
OTHER = '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>'


def tool_request(**changes: object) -> ChatRequest:
    return replace(chat(max_tokens=500), **{"tools": TOOLS, **changes})  # type: ignore[arg-type]


def test_reasoning_text_and_tool_calls_become_events_in_order() -> None:
    events = run_request(script_for(f"<think>\nhm\n</think>\n\nI'll look.\n{CALL}\n{OTHER}"), tool_request())
    calls = [("get_weather", '{"city": "Oslo"}'), ("clock", "{}")]
    assert summary(events) == ("I'll look.", "hm", calls, "tool_calls")
    first = [ReasoningDelta, TextDelta, ToolCallStarted, ToolCallDelta]
    order = [kind for kind, _ in itertools.groupby(type(event) for event in events)]
    assert order == [Started, *first, ToolCallStarted, ToolCallDelta, Finished]


def test_only_text_that_may_become_a_marker_is_held_back() -> None:
    chat_format = detect_chat_format(HERMES, lambda text: list(text.encode()), frozenset())
    config = chat_format.parser_config("", "", TOOLS, single_call=False)
    answer, marked = "So a<b, no? [1] {2}\nx <toolbox>", range(24, 30)
    assembler = AnswerAssembler((), config)
    text = ""
    for n, char in enumerate(answer, 1):
        text += summary(assembler.feed(char.encode())[0])[0]
        # White space and "<" are held back until the next characters arrive.
        assert n in marked or text in (answer[:n], answer[: n - 1], answer[: n - 2])
    assert text == answer


def test_format_without_reasoning_and_tools_has_no_parser() -> None:
    chat_format = detect_chat_format(None, lambda text: list(text.encode()), frozenset())
    assert chat_format.parser_config("", "", (), single_call=False) is None
    thinking = detect_chat_format("<think>", lambda text: list(text.encode()), frozenset())
    assert thinking.parser_config("", "", (), single_call=False) is not None


def test_answer_starts_with_reasoning_if_prompt_started_it() -> None:
    events = run_request(script_for("hm, hm</think>\n\nYes.", QWEN), tool_request(tools=()))
    assert summary(events) == ("Yes.", "hm, hm", [], "stop")


def test_answer_with_given_start_is_text_although_prompt_would_start_reasoning() -> None:
    events = run_request(script_for(" and wide. <think>", QWEN), tool_request(tools=(), answer_start="The sea is deep"))
    assert summary(events) == (" and wide. <think>", "", [], "stop")


def test_markers_that_are_special_tokens_are_recognised() -> None:
    answer = (
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather "
        '<|constrain|>json<|message|>{"city": "Oslo"}<|call|>and more'
    )
    events = run_request(script_for(answer, HARMONY, specials=HARMONY_TOKENS), tool_request())
    assert summary(events) == ("", "hm", [("get_weather", '{"city": "Oslo"}')], "tool_calls")
    answer = "<|channel|>final<|message|>Yes.<|return|>no more"
    assert summary(run_request(script_for(answer, HARMONY, specials=HARMONY_TOKENS), tool_request())) == (
        "Yes.",
        "",
        [],
        "stop",
    )


def test_answer_with_given_start_is_text_in_format_with_message_headers() -> None:
    script = script_for(" is wide.<|return|>", HARMONY, specials=HARMONY_TOKENS)
    assert summary(run_request(script, tool_request(answer_start="The sea"))) == (" is wide.", "", [], "stop")


def test_min_tokens_also_suppresses_end_tokens_of_the_format() -> None:
    async def run() -> None:
        opener = FakeOpener(script_for("x", HARMONY, specials=HARMONY_TOKENS))
        async with engine_over(opener) as engine:
            backend = opener.backends[0]
            seen = []
            logits = backend.logits
            backend.logits = lambda row: seen.append(logits(row)) or seen[-1]  # type: ignore[func-returns-value,method-assign]
            await events_of(engine.submit(tool_request(min_tokens=1)))
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
def test_stop_strings_end_answer_text_but_not_reasoning_and_tool_calls(stop: tuple[str, ...], want: object) -> None:
    assert summary(run_request(script_for(f"<think>hm</think>Done. hm{CALL}"), tool_request(stop=stop))) == want


def test_partial_stop_string_is_emitted_before_a_tool_call() -> None:
    events = run_request(script_for(f"En{CALL}"), tool_request(stop=("End",)))
    assert summary(events) == ("En", "", [("get_weather", '{"city": "Oslo"}')], "tool_calls")
    assert isinstance(events[1], TextDelta)


@pytest.mark.parametrize("answer", [f"Well. {CALL}\n{OTHER}", f"Well. {CALL} And then?"])
def test_first_tool_call_ends_the_answer_if_parallel_calls_are_off(answer: str) -> None:
    events = run_request(script_for(answer), tool_request(parallel_tool_calls=False))
    assert summary(events) == ("Well.", "", [("get_weather", '{"city": "Oslo"}')], "tool_calls")
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.usage.n_output == answer.index("}") + 1, "it went on"


def test_arguments_of_tool_call_truncated_by_max_tokens_are_not_valid_json() -> None:
    text, _, calls, reason = summary(run_request(script_for(CALL), tool_request(max_tokens=CALL.index("slo"))))
    assert (text, reason) == ("", "length")
    assert calls == [("get_weather", '{"city": "O')]


def test_cancel_during_a_tool_call_keeps_its_partial_arguments() -> None:
    async def run() -> None:
        opener = FakeOpener(script_for(CALL + "x" * 1000, step_s=0.003))
        async with engine_over(opener) as engine:
            stream = engine.submit(tool_request())
            events: list[Event] = []
            async for event in stream:
                events.append(event)
                if isinstance(event, ToolCallDelta):
                    stream.cancel()
            check_shape(events)
            _, _, ((name, arguments),), reason = summary(events)
            assert (name, reason) == ("get_weather", "cancelled")
            assert '{"city": "Oslo"}'.startswith(arguments)
            assert len(arguments) < 16
            assert opener.backends[0].n_open_samplers == 0

    asyncio.run(run())


def test_cancelled_answer_ends_with_the_text_that_was_held_back() -> None:
    async def run() -> None:
        opener = FakeOpener(script_for("a <tool_c" + "a" * 5 + "<tool_call>" * 100, step_s=0.003))
        async with engine_over(opener) as engine:
            stream = engine.submit(tool_request())
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


def test_tool_choice_none_hides_tools_from_prompt_and_parses_no_tool_calls() -> None:
    async def run() -> None:
        opener = FakeOpener(script_for(CALL))
        async with engine_over(opener) as engine:
            events = await events_of(engine.submit(tool_request(tool_choice="none")))
            assert summary(events) == (CALL, "", [], "stop")
            bare = await events_of(engine.submit(tool_request(tools=())))
            assert n_prompt(bare) == n_prompt(events) < n_prompt(await events_of(engine.submit(tool_request())))

    asyncio.run(run())


def n_prompt(events: list[Event]) -> int:
    assert isinstance(events[0], Started)
    return events[0].n_prompt


@pytest.mark.parametrize("template", [None, HERMES])
def test_markers_of_tool_calls_are_text_in_answer_without_tools(template: str | None) -> None:
    answer = f" <tool_call> {{}} {CALL}"
    assert summary(run_request(script_for(answer, template), tool_request(tools=()))) == (answer, "", [], "stop")


def test_model_without_tool_support_can_call_tools() -> None:
    events = run_request(script_for(CALL, None), tool_request())
    assert summary(events) == ("", "", [("get_weather", '{"city": "Oslo"}')], "tool_calls")
    bare = run_request(script_for('{"name": "clock", "arguments": {}}', None), tool_request())
    assert summary(bare) == ("", "", [("clock", "{}")], "tool_calls")


def test_past_tool_calls_and_results_are_in_the_prompt() -> None:
    async def run() -> None:
        for template in (HERMES, QWEN, HARMONY, None):
            opener = FakeOpener(script_for("It rains.", template))
            async with engine_over(opener) as engine:
                call = ToolCall("call_1", "get_weather", '{"city": "Oslo"}')
                messages = (
                    Message("user", "How is it?"),
                    Message("assistant", "", (call,)),
                    Message("tool", "Rain.", tool_call_id="call_1"),
                )
                await events_of(engine.submit(tool_request(messages=messages)))
                (held,) = opener.backends[0].slots.values()
                prompt = bytes(token for token in held if token < 256).decode()
                assert prompt.index("How is it?") < prompt.rindex("Oslo") < prompt.index("Rain.")

    asyncio.run(run())


def test_reasoning_options_of_request_reach_the_template() -> None:
    source = "{% if enable_thinking is defined %}think={{ enable_thinking }}{% endif %}{{ reasoning_effort }}|"

    async def run() -> None:
        opener = FakeOpener(script_for("x", source))
        async with engine_over(opener) as engine:
            await events_of(engine.submit(tool_request(thinking=True, effort="low", tools=())))
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
def test_request_with_invalid_tools_fails_before_the_first_token(changes: dict[str, object], reason: str) -> None:
    (failed,) = run_request(script_for(CALL), tool_request(**changes))
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, RequestError)
    assert reason in str(failed.error)


def test_logprobs_are_reported_for_answer_text_only() -> None:
    events = run_request(script_for(f"<think>hm</think>Yes.{CALL}"), tool_request(n_logprobs=1))
    choices = [choice for event in events if isinstance(event, TextDelta) for choice in event.choices]
    assert b"".join(choice.token for choice in choices) == b"Yes."
    # No token is counted twice, including the token that ends the reasoning.
    n_tokens = sum(event.n_tokens for event in events if isinstance(event, TextDelta | ReasoningDelta))
    assert n_tokens <= len(f"<think>hm</think>Yes.{CALL}")


def test_collect_returns_answer_text_without_reasoning_and_tool_calls() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener(script_for(f"<think>hm</think>Yes.{CALL}"))) as engine:
            text, finished = await engine.submit(tool_request()).collect()
            assert (text, finished.reason) == ("Yes.", "tool_calls")

    asyncio.run(run())


def test_deltas_of_one_kind_are_merged() -> None:
    assert merge_deltas([TextDelta("a", 1), TextDelta("b", 2)]) == TextDelta("ab", 3)
    assert merge_deltas([ReasoningDelta("a", 1), ReasoningDelta("b", 2)]) == ReasoningDelta("ab", 3)
    assert merge_deltas([ToolCallDelta(1, "{"), ToolCallDelta(1, "}")]) == ToolCallDelta(1, "{}")


def test_events_that_are_read_late_keep_their_order() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener(script_for(f"<think>hm</think>Yes.{CALL}{OTHER}"))) as engine:
            stream = engine.submit(tool_request())
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


def test_loading_another_model_changes_the_output_format() -> None:
    async def run() -> None:
        opener = FakeOpener(script_for(CALL, None))
        engine = Engine(opener)
        for template, want in ((HARMONY, CALL), (HERMES, "")):
            opener.script.template = template
            await engine.load(Path("fake.gguf"))
            assert summary(await events_of(engine.submit(tool_request())))[0] == want
        await engine.aclose()

    asyncio.run(run())
