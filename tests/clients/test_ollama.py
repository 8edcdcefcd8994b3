"""Ollama's Python client `ollama`, unmodified, with the endpoint and the real model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.api.live_endpoint import KEY, wait_until
from tests.clients.real_endpoint import COLOURS, ENDLESS, QUESTION, TOO_LONG, RealEndpoint, serve_real_endpoint

if TYPE_CHECKING:
    from ollama import Client

MESSAGES: Any = [{"role": "user", "content": QUESTION}]
SHORT: Any = {"temperature": 0, "num_predict": 7}


@pytest.fixture
def client(endpoint: RealEndpoint) -> Iterator[Client]:
    from ollama import Client

    with Client(endpoint.root, headers={"authorization": f"Bearer {endpoint.key}"}, timeout=60) as made:
        yield made


def test_client_lists_models(endpoint: RealEndpoint, client: Client) -> None:
    assert [model.model for model in client.list().models] == [endpoint.model]
    assert [model.model for model in client.ps().models] == [endpoint.model]
    shown = client.show(endpoint.model)
    assert "completion" in (shown.capabilities or [])
    assert shown.modelinfo


def test_whole_and_streamed_answers_of_chat_and_generate_are_equal(client: Client) -> None:
    whole = client.chat("llama3.2", MESSAGES, options=SHORT)
    streamed = list(client.chat("llama3.2", MESSAGES, options=SHORT, stream=True))
    assert "".join(part.message.content or "" for part in streamed) == whole.message.content != ""
    assert [part.done for part in streamed] == [False] * (len(streamed) - 1) + [True]
    assert streamed[-1].eval_count == whole.eval_count
    generated = client.generate("llama3.2", QUESTION, options=SHORT)
    parts = client.generate("llama3.2", QUESTION, options=SHORT, stream=True)
    assert "".join(part.response or "" for part in parts) == generated.response == whole.message.content


def test_structured_answer_follows_schema(client: Client) -> None:
    answer = client.chat("x", MESSAGES, format=COLOURS, options={"num_predict": 60})
    assert json.loads(answer.message.content or "")["colour"] in ("red", "blue")


def test_tool_call_is_requested_and_tool_result_is_answered(client: Client) -> None:
    def paint(colour: str) -> str:
        """Paints.

        Args:
            colour: Which one.
        """
        return colour

    answer = client.chat("x", MESSAGES, tools=[paint], options={"num_predict": 60})
    assert answer.message.content or answer.message.tool_calls
    call = {"function": {"name": "paint", "arguments": {"colour": "red"}}}
    value: Any = [
        *MESSAGES,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_name": "paint", "content": "It is red."},
    ]
    assert client.chat("x", value, options=SHORT).message.content


def test_client_gets_embeddings(client: Client) -> None:
    found = client.embed("x", ["sea", "ship"])
    assert [sum(each * each for each in vector) for vector in found.embeddings] == pytest.approx([1, 1], abs=1e-3)


def test_aborted_stream_frees_slot(endpoint: RealEndpoint, client: Client) -> None:
    answers: Any = [{"role": "user", "content": ENDLESS}]
    stream: Any = client.chat("x", answers, stream=True, options={"num_predict": 2000, "temperature": 0})
    for _, _part in zip(range(3), stream, strict=False):
        pass
    stream.close()
    endpoint.assert_last_was_cancelled()


def test_endpoint_errors_raise_the_exceptions_of_the_client(endpoint: RealEndpoint, client: Client) -> None:
    from ollama import Client, ResponseError

    with pytest.raises(ResponseError, match="maximum context length is") as refused:
        client.chat("x", [{"role": "user", "content": TOO_LONG}])
    assert refused.value.status_code == 400
    with pytest.raises(ResponseError, match="maximum context length is") as streamed:
        next(client.chat("x", [{"role": "user", "content": TOO_LONG}], stream=True))
    assert streamed.value.status_code == 400
    with Client(endpoint.root) as stranger, pytest.raises(ResponseError, match="needs its key") as closed:
        stranger.list()
    assert closed.value.status_code == 401


def test_keep_alive_zero_unloads_model_and_next_request_loads_it(model_path: Path) -> None:
    from ollama import Client

    headers = {"authorization": f"Bearer {KEY}"}
    with (
        serve_real_endpoint(model_path, model_changes=model_path) as own,
        Client(own.root, headers=headers, timeout=60) as client,
    ):
        before = client.chat("x", MESSAGES, options=SHORT).message.content
        assert client.generate("x", keep_alive=0).done_reason == "unload"
        assert own.engine.status.model is None
        assert not client.ps().models
        assert [model.model for model in client.list().models] == [own.model]
        assert client.chat("x", MESSAGES, options=SHORT, keep_alive="0s").message.content == before
        wait_until(lambda: not client.ps().models)


def test_model_stays_loaded_after_keep_alive_zero_if_settings_forbid_model_changes(
    endpoint: RealEndpoint, client: Client
) -> None:
    assert client.generate("x", keep_alive=0).done_reason == "load"
    assert [model.model for model in client.ps().models] == [endpoint.model]
