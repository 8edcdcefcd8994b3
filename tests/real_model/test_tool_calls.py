"""Tool calls with the real model, whose chat template does not support tools."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.events import Failed, Finished, ToolCallStarted
from engine.requests import ChatRequest, Message, NamedTool, Sampling, Tool, ToolCall, ToolChoice
from tests.conftest import chat
from tests.engine.output.scripted_answers import summary
from tests.engine.test_engine import check_shape, events_of
from tests.real_model.test_engine import real_engine

WEATHER = Tool(
    "get_weather",
    "Tells the weather of a city for some days.",
    json.dumps(
        {
            "type": "object",
            "properties": {
                "city": {"type": "string", "maxLength": 40},
                "days": {"type": "integer", "minimum": 1, "maximum": 9},
                "unit": {"enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city", "days", "unit"],
        }
    ),
)
CLOCK = Tool("clock", "Tells the time.")


def weather_request(choice: ToolChoice, **changes: object) -> ChatRequest:
    request = chat("What will the weather be like in Oslo for 3 days?", max_tokens=150)
    return replace(request, tools=(WEATHER, CLOCK), tool_choice=choice, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_arguments_of_a_required_tool_call_match_the_schema(model_path: Path, seed: int | None) -> None:
    sampling = Sampling(temperature=0.0) if seed is None else Sampling(temperature=1.5, seed=seed)

    async def run() -> None:
        async with real_engine(model_path) as engine:
            request = weather_request(NamedTool("get_weather"), sampling=sampling, parallel_tool_calls=False)
            events = await events_of(engine.submit(request))
            check_shape(events)
            text, thought, ((name, arguments),), reason = summary(events)
            assert (text, thought, name, reason) == ("", "", "get_weather", "tool_calls")
            parsed = json.loads(arguments)
            assert set(parsed) == {"city", "days", "unit"}
            assert isinstance(parsed["city"], str)
            assert parsed["days"] in range(1, 10)
            assert parsed["unit"] in ("celsius", "fahrenheit")

            request = weather_request("required", sampling=sampling, parallel_tool_calls=False)
            _, _, ((name, arguments),), reason = summary(await events_of(engine.submit(request)))
            assert reason == "tool_calls"
            assert name in ("get_weather", "clock")
            assert isinstance(json.loads(arguments), dict)

    asyncio.run(run())


def test_model_answers_after_a_tool_result(model_path: Path) -> None:
    async def run() -> None:
        async with real_engine(model_path) as engine:
            first = weather_request(NamedTool("get_weather"), parallel_tool_calls=False)
            events = await events_of(engine.submit(first))
            assert not [event for event in events if isinstance(event, Failed)], events
            _, _, ((name, arguments),), _ = summary(events)
            (call_id,) = (event.id for event in events if isinstance(event, ToolCallStarted))
            called = Message("assistant", "", (ToolCall(call_id, name, arguments),))
            result = Message("tool", "Rain on all three days.", tool_call_id=call_id)
            again = replace(chat(max_tokens=40), messages=(*first.messages, called, result))
            answer_events = await events_of(engine.submit(again))
            question_events = await events_of(
                engine.submit(replace(again, messages=first.messages, max_tokens=1, id="question"))
            )
            text, _, calls, reason = summary(answer_events)
            assert text.strip()
            assert (calls, reason in ("stop", "length")) == ([], True)
            n_alone, n_after = (
                event.usage.n_prompt
                for each in (question_events, answer_events)
                for event in each
                if isinstance(event, Finished)
            )
            assert n_after > n_alone + 20  # the prompt contains the tool call and its result

    asyncio.run(run())
