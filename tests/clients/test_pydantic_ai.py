"""The Python client `pydantic-ai`, unmodified, with the endpoint and the real model. Its agents run on their own event
loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal

import pytest
from pydantic import BaseModel

from tests.clients.real_endpoint import ENDLESS, QUESTION, TOO_LONG, RealEndpoint

if TYPE_CHECKING:
    from pydantic_ai.models.openai import OpenAIChatModel


BRIEF: Any = {"max_tokens": 60, "parallel_tool_calls": False}


class Paint(BaseModel):
    """Paints."""

    colour: Literal["red", "blue"]


def with_model(url: str, key: str, use: Callable[[OpenAIChatModel], Awaitable[Any]]) -> Any:
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    async def run() -> Any:
        async with AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=60) as client:
            return await use(OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client)))

    return asyncio.run(run())


def test_whole_and_streamed_answers_are_equal(endpoint: RealEndpoint) -> None:
    async def both(model: OpenAIChatModel) -> tuple[str, list[str]]:
        from pydantic_ai import Agent

        agent = Agent(model, model_settings={"temperature": 0, "max_tokens": 7})
        whole = (await agent.run(QUESTION)).output
        async with agent.run_stream(QUESTION) as stream:
            return whole, [part async for part in stream.stream_text(delta=True, debounce_by=None)]

    whole, parts = with_model(endpoint.url, endpoint.key, both)
    assert len(parts) > 3
    assert "".join(parts) == whole != ""


def test_structured_answer_is_parsed_from_tool_call(endpoint: RealEndpoint) -> None:
    async def ask(model: OpenAIChatModel) -> object:
        from pydantic_ai import Agent

        return (await Agent(model, output_type=Paint, model_settings=BRIEF).run(QUESTION)).output

    assert isinstance(with_model(endpoint.url, endpoint.key, ask), Paint)


def test_structured_answer_is_parsed_from_schema_output(endpoint: RealEndpoint) -> None:
    async def ask(model: OpenAIChatModel) -> object:
        from pydantic_ai import Agent, NativeOutput

        return (await Agent(model, output_type=NativeOutput(Paint), model_settings=BRIEF).run(QUESTION)).output

    assert isinstance(with_model(endpoint.url, endpoint.key, ask), Paint)


def test_cancelled_agent_run_frees_slot(endpoint: RealEndpoint) -> None:
    async def leave(model: OpenAIChatModel) -> None:
        from pydantic_ai import Agent

        body = asyncio.create_task(Agent(model, model_settings={"temperature": 0}).run(ENDLESS))
        await asyncio.sleep(0.3)
        body.cancel()
        await asyncio.wait({body})
        assert body.cancelled()

    with_model(endpoint.url, endpoint.key, leave)
    endpoint.assert_last_was_cancelled()


def test_endpoint_errors_raise_the_exceptions_of_the_client(endpoint: RealEndpoint) -> None:
    from pydantic_ai.exceptions import ModelHTTPError

    async def too_long(model: OpenAIChatModel) -> None:
        from pydantic_ai import Agent

        await Agent(model).run(TOO_LONG)

    async def short(model: OpenAIChatModel) -> None:
        from pydantic_ai import Agent

        await Agent(model).run(QUESTION)

    with pytest.raises(ModelHTTPError, match="maximum context length is") as refused:
        with_model(endpoint.url, endpoint.key, too_long)
    assert refused.value.status_code == 400
    with pytest.raises(ModelHTTPError, match="needs its key") as closed:
        with_model(endpoint.url, "wrong", short)
    assert closed.value.status_code == 401
