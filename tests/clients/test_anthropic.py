"""Anthropic's Python client `anthropic`, unmodified, with the endpoint and the real model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.real_endpoint import COLOURS, ENDLESS, QUESTION, TOO_LONG, RealEndpoint

if TYPE_CHECKING:
    from anthropic import Anthropic

MESSAGES: Any = [{"role": "user", "content": QUESTION}]
TOOLS: Any = [{"name": "paint", "description": "Paints.", "input_schema": COLOURS}]


@pytest.fixture
def client(endpoint: RealEndpoint) -> Iterator[Anthropic]:
    from anthropic import Anthropic

    with Anthropic(base_url=endpoint.root, api_key=endpoint.key, max_retries=0, timeout=60) as made:
        yield made


def test_client_lists_models(endpoint: RealEndpoint, client: Anthropic) -> None:
    assert [model.id for model in client.models.list()] == [endpoint.model]
    assert client.models.retrieve(endpoint.model).display_name


def test_whole_and_streamed_answers_are_equal(endpoint: RealEndpoint, client: Anthropic) -> None:
    body: Any = {"model": "claude", "messages": MESSAGES, "max_tokens": 7, "extra_body": {"temperature": 0}}
    whole = client.messages.create(**body)
    assert whole.model == endpoint.model
    assert whole.content[0].type == "text"
    with client.messages.stream(**body) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == whole.content[0].text != ""
    assert final.stop_reason == whole.stop_reason
    assert final.usage.output_tokens == whole.usage.output_tokens > 0


def test_client_counts_tokens(client: Anthropic) -> None:
    counted = client.messages.count_tokens(model="claude", messages=MESSAGES, system="Be brief.")
    read = client.messages.create(model="claude", messages=MESSAGES, system="Be brief.", max_tokens=1).usage
    assert counted.input_tokens == read.input_tokens + (read.cache_read_input_tokens or 0)


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "paint"}])
def test_tool_call_is_returned_whole_and_streamed(client: Anthropic, choice: Any) -> None:
    choice = {**choice, "disable_parallel_tool_use": True}
    body: Any = {"model": "x", "messages": MESSAGES, "tools": TOOLS, "tool_choice": choice, "max_tokens": 60}
    with client.messages.stream(**body) as stream:
        streamed = stream.get_final_message()
    for answer in (streamed, client.messages.create(**body)):
        called: Any = answer.content[-1]
        assert answer.stop_reason == called.type == "tool_use"
        assert called.type == "tool_use"
        assert called.input["colour"] in ("red", "blue")


def test_structured_answer_is_parsed(client: Anthropic) -> None:
    from pydantic import BaseModel

    class Paint(BaseModel):
        colour: str
        coats: int

    parsed = client.messages.parse(model="x", messages=MESSAGES, output_format=Paint, max_tokens=200)
    assert isinstance(parsed.parsed_output, Paint)


def test_aborted_stream_frees_slot(endpoint: RealEndpoint, client: Anthropic) -> None:
    answers: Any = [{"role": "user", "content": ENDLESS}]
    with client.messages.stream(model="x", messages=answers, max_tokens=2000, extra_body={"temperature": 0}) as stream:
        for _, _text in zip(range(3), stream.text_stream, strict=False):
            pass
    endpoint.assert_last_was_cancelled()


def test_endpoint_errors_raise_the_exceptions_of_the_client(endpoint: RealEndpoint, client: Anthropic) -> None:
    from anthropic import Anthropic, AuthenticationError, BadRequestError, NotFoundError

    long: Any = [{"role": "user", "content": TOO_LONG}]
    for stream in (False, True):
        with pytest.raises(BadRequestError, match="prompt is too long") as refused:
            client.messages.create(model="x", messages=long, max_tokens=9, stream=stream)
        assert refused.value.status_code == 400
        assert refused.value.type == "invalid_request_error"
    with (
        Anthropic(base_url=endpoint.root, api_key="wrong", max_retries=0) as stranger,
        pytest.raises(AuthenticationError) as closed,
    ):
        stranger.messages.create(model="x", messages=MESSAGES, max_tokens=9)
    assert closed.value.type == "authentication_error"
    with pytest.raises(NotFoundError):
        client.models.retrieve("another")
