"""OpenAI's responses API over HTTP, mostly with OpenAI's client."""

from __future__ import annotations

from pathlib import Path

import openai
import pytest

from tests.api.live_endpoint import Live, live, wait_until
from tests.fakes import FakeOpener, Script


def test_whole_and_streamed_responses_are_equal(endpoint: Live) -> None:
    with endpoint.openai() as client:
        whole = client.responses.create(model="x", input="Hi", instructions="Be kind.")
        assert (whole.output_text, whole.status, whole.model) == ("Hello there.", "completed", "fake")
        with client.responses.stream(model="x", input="Hi") as stream:
            deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
            final = stream.get_final_response()
    assert "".join(deltas) == final.output_text == "Hello there."
    assert final.usage is not None
    assert final.usage.output_tokens == 13


def test_previous_response_is_continued(tmp_path: Path) -> None:
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
def test_input_longer_than_the_context_is_400(endpoint: Live, stream: bool) -> None:
    with endpoint.openai() as client, pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="x", input="x" * 5000, stream=stream)
    assert caught.value.code == "context_length_exceeded"


def test_input_tokens_are_counted(endpoint: Live) -> None:
    counted = endpoint.post({"input": "Hi"}, "/v1/responses/input_tokens").json()["input_tokens"]
    read = endpoint.post({"input": "Hi"}, "/v1/responses").json()["usage"]["input_tokens"]
    assert counted == read


def test_disconnect_cancels_request() -> None:
    with live(FakeOpener(Script(step_s=0.005))) as endpoint, endpoint.openai() as client:
        stream = client.responses.create(model="x", input="Hi", stream=True)
        next(iter(stream))
        stream.close()
        wait_until(lambda: endpoint.n_in_progress == 0, timeout_s=8)


def test_input_items_of_stored_response_are_listed(tmp_path: Path) -> None:
    with live(responses=tmp_path) as endpoint, endpoint.openai() as client, endpoint.http() as http:
        first = client.responses.create(model="x", input="Hi")
        second = client.responses.create(
            model="x", input=[{"role": "user", "content": "And?"}], previous_response_id=first.id
        )
        newest = list(client.responses.input_items.list(second.id))
        assert [item.content[0].text for item in newest] == ["And?", "Hello there.", "Hi"]  # type: ignore[union-attr, index]
        oldest = http.get(f"/responses/{second.id}/input_items", params={"order": "asc", "limit": 2}).json()
        assert [item["content"][0]["text"] for item in oldest["data"]] == ["Hi", "Hello there."]
        assert (oldest["object"], oldest["has_more"]) == ("list", True)
        after = {"order": "asc", "after": oldest["last_id"]}
        rest = http.get(f"/v1/responses/{second.id}/input_items", params=after).json()
        assert [item["content"][0]["text"] for item in rest["data"]] == ["And?"]
        assert not rest["has_more"]
        for bad in ({"limit": "0"}, {"limit": "x"}, {"after": "nothing"}, {"order": "up"}):
            assert http.get(f"/v1/responses/{second.id}/input_items", params=bad).status_code == 400
        assert http.get("/v1/responses/resp_none/input_items").status_code == 404


def test_stored_response_is_returned_whole_and_as_events(tmp_path: Path) -> None:
    with live(responses=tmp_path) as endpoint, endpoint.openai() as client, endpoint.http() as http:
        made = client.responses.create(model="x", input="Hi")
        assert http.get(f"/responses/{made.id}").json() == http.get(f"/v1/responses/{made.id}").json()
        events = list(client.responses.retrieve(made.id, stream=True))
        assert [event.type for event in events] == [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
        assert [event.sequence_number for event in events] == list(range(len(events)))
        assert events[-1].response.output_text == "Hello there."  # type: ignore[union-attr]
        later = list(client.responses.retrieve(made.id, stream=True, starting_after=6))
        assert [event.sequence_number for event in later] == [7, 8]
        assert http.delete(f"/responses/{made.id}").json()["deleted"]


def test_request_to_cancel_a_finished_response_is_400(tmp_path: Path) -> None:
    with live(responses=tmp_path) as endpoint, endpoint.openai() as client, endpoint.http() as http:
        made = client.responses.create(model="x", input="Hi")
        for path in (f"/v1/responses/{made.id}/cancel", f"/responses/{made.id}/cancel"):
            refused = http.post(path)
            assert refused.status_code == 400
            assert "background" in refused.json()["error"]["message"]
        assert http.post("/v1/responses/resp_none/cancel").status_code == 404
        with pytest.raises(openai.BadRequestError):
            client.responses.cancel(made.id)


def test_item_reference_in_input_is_replaced_by_the_stored_item(tmp_path: Path) -> None:
    with live(responses=tmp_path) as endpoint, endpoint.openai() as client:
        made = client.responses.create(model="x", input="Hi")
        written = [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello there."},
            {"role": "user", "content": "And?"},
        ]
        answers = [written[0], {"type": "item_reference", "id": made.output[0].id}, written[2]]
        by_reference = endpoint.post({"input": answers}, "/v1/responses/input_tokens").json()
        assert by_reference == endpoint.post({"input": written}, "/v1/responses/input_tokens").json()
        lost = endpoint.post({"input": [{"type": "item_reference", "id": "msg_" + "0" * 32 + "_0"}]}, "/v1/responses")
        assert (lost.status_code, lost.json()["error"]["param"]) == (400, "input[0]")


def test_response_has_usage_and_timings(endpoint: Live) -> None:
    whole = endpoint.post({"input": "Hi"}, "/v1/responses").json()
    assert whole["usage"]["input_tokens_details"]["cache_write_tokens"] == 0
    assert whole["timings"]["predicted_n"] == whole["usage"]["output_tokens"]
