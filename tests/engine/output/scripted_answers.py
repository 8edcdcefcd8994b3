"""Sends scripted answers of the fake backend through the engine. Also holds the tools and templates of the requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

from engine.events import Event, Failed, Finished, ReasoningDelta, TextDelta, ToolCallDelta, ToolCallStarted
from engine.requests import ChatRequest, Tool
from tests.engine.output.chat_templates import TEMPLATES
from tests.engine.test_engine import check_shape, engine_over, events_of
from tests.fakes import FakeOpener, Script

HERMES = TEMPLATES["hermes"] + "{# <think> #}"
QWEN = TEMPLATES["qwen-xml"] + "{# <think> #}"
HARMONY = TEMPLATES["harmony"]
HARMONY_TOKENS = ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>", "<|call|>", "<|return|>")
CALL_TOKENS = ("<tool_call>", "</tool_call>", "<think>", "</think>")
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
VALID_ARGUMENTS = '{"on": true, "room": "attic"}'
INVALID_ARGUMENTS = '{"on": 3, "room": "cellar"}'


def run_request(script: Script, request: ChatRequest) -> list[Event]:
    async def run() -> list[Event]:
        opener = FakeOpener(script)
        async with engine_over(opener) as engine:
            events = await events_of(engine.submit(request))
            assert opener.backends[0].n_open_samplers == 0
        check_shape(events)
        return events

    return asyncio.run(run())


def summary(events: Iterable[Event]) -> tuple[str, str, list[tuple[str, str]], str]:
    """The text, reasoning, calls and finish reason of an answer."""
    text, reasoning, reason = "", "", ""
    calls: list[tuple[str, str]] = []
    for event in events:
        match event:
            case TextDelta():
                text += event.text
            case ReasoningDelta():
                reasoning += event.text
            case ToolCallStarted():
                assert event.index == len(calls)
                assert event.id
                calls.append((event.name, ""))
            case ToolCallDelta():
                assert event.index == len(calls) - 1
                calls[-1] = (calls[-1][0], calls[-1][1] + event.arguments)
            case Finished():
                reason = event.reason
    return text, reasoning, calls, reason


def script_for(answer: str, template: str | None = HERMES, **script: object) -> Script:
    return Script(answer=answer.encode(), template=template, **script)  # type: ignore[arg-type]


def check_light(arguments: str) -> None:
    made = json.loads(arguments)
    assert set(made) == {"on", "room"}
    assert isinstance(made["on"], bool)
    assert made["room"] in ("hall", "attic")


def error_of(events: list[Event]) -> Exception:
    (failed,) = events
    assert isinstance(failed, Failed)
    return failed.error
