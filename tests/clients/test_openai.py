"""OpenAI's Python client `openai`, unmodified, with the endpoint and the real model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.real_endpoint import COLOURS, ENDLESS, QUESTION, TOO_LONG, RealEndpoint

if TYPE_CHECKING:
    from openai import OpenAI


@pytest.fixture
def client(endpoint: RealEndpoint) -> Iterator[OpenAI]:
    from openai import OpenAI

    with OpenAI(base_url=endpoint.url, api_key=endpoint.key, max_retries=0, timeout=60) as made:
        yield made


MESSAGES: Any = [{"role": "user", "content": QUESTION}]
TOOLS: Any = [{"type": "function", "function": {"name": "paint", "description": "Paints.", "parameters": COLOURS}}]


def test_client_lists_models(endpoint: RealEndpoint, client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [endpoint.model]
    assert client.models.retrieve(endpoint.model).owned_by == "inglenook"


def test_whole_and_streamed_answers_are_equal(endpoint: RealEndpoint, client: OpenAI) -> None:
    body: Any = {"model": "gpt-4o", "messages": MESSAGES, "temperature": 0, "max_completion_tokens": 7}
    whole = client.chat.completions.create(**body)
    assert whole.choices[0].message.content
    assert whole.model == endpoint.model
    streamed = list(client.chat.completions.create(**body, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices)
    assert text == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in streamed if chunk.choices][-1] == whole.choices[0].finish_reason
    assert streamed[-1].usage is not None
    assert whole.usage is not None
    assert streamed[-1].usage.completion_tokens == whole.usage.completion_tokens


def test_tool_call_is_returned_whole_and_streamed(client: OpenAI) -> None:
    body: Any = {"model": "x", "messages": MESSAGES, "tools": TOOLS, "tool_choice": "required", "max_tokens": 60}
    body["parallel_tool_calls"] = False
    with client.chat.completions.stream(**body) as stream:
        streamed = stream.get_final_completion().choices[0]
    whole = client.chat.completions.create(**body, temperature=0).choices[0]
    for choice in (streamed, whole):
        assert choice.finish_reason == "tool_calls"
        assert choice.message.tool_calls
        function = choice.message.tool_calls[0].function
        assert function.name == "paint"
        assert json.loads(function.arguments)["colour"] in ("red", "blue")


def test_structured_answer_is_parsed(client: OpenAI) -> None:
    from pydantic import BaseModel

    class Paint(BaseModel):
        colour: str
        coats: int

    parsed = client.chat.completions.parse(model="x", messages=MESSAGES, response_format=Paint, max_tokens=200)
    assert isinstance(parsed.choices[0].message.parsed, Paint)


def test_whole_and_streamed_responses_are_equal(client: OpenAI) -> None:
    whole = client.responses.create(model="x", input=QUESTION, max_output_tokens=7, temperature=0)
    assert whole.output_text
    kinds, text = [], ""
    with client.responses.stream(model="x", input=QUESTION, max_output_tokens=7, temperature=0) as stream:
        for event in stream:
            kinds.append(event.type)
            if event.type == "response.output_text.delta":
                text += event.delta
    assert text == whole.output_text
    assert kinds[0] == "response.created"
    assert kinds[-1] in ("response.completed", "response.incomplete")


def test_client_gets_embeddings_and_completions(client: OpenAI) -> None:
    found = client.embeddings.create(model="x", input=["sea", "ship"])
    assert len(found.data) == 2
    assert sum(each * each for each in found.data[0].embedding) == pytest.approx(1, abs=1e-3)
    assert client.completions.create(model="x", prompt="One, two,", max_tokens=4, temperature=0).choices[0].text


def test_aborted_stream_frees_slot(endpoint: RealEndpoint, client: OpenAI) -> None:
    answers: Any = [{"role": "user", "content": ENDLESS}]
    stream = client.chat.completions.create(model="x", messages=answers, stream=True, extra_body={"ignore_eos": True})
    for _, _chunk in zip(range(3), stream, strict=False):
        pass
    stream.close()
    endpoint.assert_last_was_cancelled()


def test_endpoint_errors_raise_the_exceptions_of_the_client(endpoint: RealEndpoint, client: OpenAI) -> None:
    from openai import AuthenticationError, BadRequestError, NotFoundError, OpenAI

    long: Any = [{"role": "user", "content": TOO_LONG}]
    for stream in (False, True):
        with pytest.raises(BadRequestError, match="maximum context length is") as refused:
            client.chat.completions.create(model="x", messages=long, stream=stream)
        assert (refused.value.status_code, refused.value.code) == (400, "context_length_exceeded")
        assert refused.value.type == "invalid_request_error"
    with (
        OpenAI(base_url=endpoint.url, api_key="wrong", max_retries=0) as stranger,
        pytest.raises(AuthenticationError, match="needs its key") as closed,
    ):
        stranger.models.list()
    assert closed.value.code == "invalid_api_key"
    with pytest.raises(NotFoundError):
        client.models.retrieve("another")
