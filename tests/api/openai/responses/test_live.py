"""Responses on a live port, with OpenAI's own client."""

from __future__ import annotations

from pathlib import Path

import openai
import pytest

from tests.api.live import Live, live, wait_until
from tests.fakes import FakeOpener, Script


def test_whole_and_streamed(endpoint: Live) -> None:
    with endpoint.openai() as client:
        whole = client.responses.create(model="x", input="Hi", instructions="Be kind.")
        assert (whole.output_text, whole.status, whole.model) == ("Hello there.", "completed", "fake")
        with client.responses.stream(model="x", input="Hi") as stream:
            deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
            final = stream.get_final_response()
    assert "".join(deltas) == final.output_text == "Hello there."
    assert final.usage is not None
    assert final.usage.output_tokens == 13


def test_a_conversation_goes_on_from_what_is_kept(tmp_path: Path) -> None:
    with live(responses=tmp_path) as endpoint, endpoint.openai() as client:
        first = client.responses.create(model="x", input="Hi")
        assert first.usage is not None
        for previous in (first.id, list(client.responses.create(model="x", input="Hi", stream=True))[-1].response.id):  # type: ignore[union-attr]
            second = client.responses.create(model="x", input="And?", previous_response_id=previous)
            assert second.usage is not None
            turns = "<|im_start|>assistant\nHello there.<|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n"
            assert second.usage.input_tokens == first.usage.input_tokens + len(turns)
        assert client.responses.retrieve(first.id).output_text == "Hello there."
        unkept = client.responses.create(model="x", input="Hi", store=False)
        client.responses.delete(first.id)
        for gone in (first.id, unkept.id, "resp_../x"):
            with pytest.raises(openai.NotFoundError) as caught:
                client.responses.create(model="x", input="And?", previous_response_id=gone)
            assert caught.value.code == "previous_response_not_found"


@pytest.mark.parametrize("stream", [False, True])
def test_an_overflow(endpoint: Live, stream: bool) -> None:
    with endpoint.openai() as client, pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="x", input="x" * 5000, stream=stream)
    assert caught.value.code == "context_length_exceeded"


def test_tokens_are_counted(endpoint: Live) -> None:
    counted = endpoint.post({"input": "Hi"}, "/v1/responses/input_tokens").json()["input_tokens"]
    read = endpoint.post({"input": "Hi"}, "/v1/responses").json()["usage"]["input_tokens"]
    assert counted == read


def test_a_client_that_leaves_ends_its_request() -> None:
    with live(FakeOpener(Script(step_s=0.005))) as endpoint, endpoint.openai() as client:
        stream = client.responses.create(model="x", input="Hi", stream=True)
        next(iter(stream))
        stream.close()
        wait_until(lambda: endpoint.n_under_way == 0, timeout_s=1)
