"""Anthropic's messages API over HTTP, with the fake model."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.api.live_endpoint import KEY, Live, live, wait_until
from tests.fakes import FakeOpener, Script

BODY = {"model": "claude", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}]}


def post(endpoint: Live, body: object, path: str = "/v1/messages", **headers: str) -> httpx.Response:
    headers = headers or {"x-api-key": KEY}
    return httpx.post(f"{endpoint.root}{path}", json=body, headers=headers, trust_env=False, timeout=20)


@pytest.mark.parametrize("headers", [{"x-api-key": KEY}, {"authorization": f"Bearer {KEY}"}])
def test_whole_and_streamed_answers_are_equal(endpoint: Live, headers: dict[str, str]) -> None:
    whole = post(endpoint, BODY, **headers).json()
    assert whole["content"] == [{"type": "text", "text": "Hello there."}]
    assert (whole["stop_reason"], whole["model"]) == ("end_turn", "fake")
    wire = post(endpoint, BODY | {"stream": True}, **headers).text
    events = [json.loads(line[6:]) for line in wire.splitlines() if line.startswith("data: ")]
    assert [line[7:] for line in wire.splitlines() if line.startswith("event: ")] == [event["type"] for event in events]
    assert "".join(event.get("delta", {}).get("text", "") for event in events) == "Hello there."
    assert events[-1] == {"type": "message_stop"}


def test_stop_string_that_ended_the_answer_is_returned(endpoint: Live) -> None:
    body = BODY | {"stop_sequences": ["END", "th"]}
    whole = post(endpoint, body).json()
    assert whole["content"] == [{"type": "text", "text": "Hello "}]
    assert (whole["stop_reason"], whole["stop_sequence"]) == ("stop_sequence", "th")
    wire = post(endpoint, body | {"stream": True}).text
    assert '"delta":{"stop_reason":"stop_sequence","stop_sequence":"th"}' in wire
    unstopped = post(endpoint, BODY | {"stop_sequences": ["END"]}).json()
    assert (unstopped["stop_reason"], unstopped["stop_sequence"]) == ("end_turn", None)
    short = post(endpoint, body | {"max_tokens": 2}).json()
    assert (short["stop_reason"], short["stop_sequence"]) == ("max_tokens", None)


def test_count_tokens_route_counts_prompt_longer_than_context(endpoint: Live) -> None:
    path = "/v1/messages/count_tokens"
    few = post(endpoint, {"messages": BODY["messages"]}, path).json()["input_tokens"]
    read = post(endpoint, BODY).json()["usage"]
    assert few == read["input_tokens"] + read["cache_read_input_tokens"]
    many = post(endpoint, {"messages": [{"role": "user", "content": "x" * 9000}]}, path).json()["input_tokens"]
    assert many == few + 9000 - 2


def test_errors_have_anthropic_format(endpoint: Live) -> None:
    for stream in (False, True):
        long = post(endpoint, {**BODY, "messages": [{"role": "user", "content": "x" * 9000}], "stream": stream})
        assert long.status_code == 400
        assert "prompt is too long: " in long.json()["error"]["message"]
    for answer, status, kind in (
        (post(endpoint, BODY, **{"x-api-key": "wrong"}), 401, "authentication_error"),
        (post(endpoint, {"max_tokens": 0}), 400, "invalid_request_error"),
        (post(endpoint, BODY, "/v1/messages/batches"), 404, "not_found_error"),
    ):
        assert (answer.status_code, answer.json()["type"]) == (status, "error")
        assert answer.json()["error"]["type"] == kind
        assert answer.json()["request_id"].startswith("req_")


def test_disconnect_cancels_request() -> None:
    with live(FakeOpener(Script(step_s=0.005))) as endpoint, endpoint.http() as client:
        with client.stream("POST", "/v1/messages", json=BODY | {"stream": True, "max_tokens": 4000}) as answer:
            next(answer.iter_bytes())
        wait_until(lambda: endpoint.n_in_progress == 0, timeout_s=8)
        assert endpoint.opener.backends[0].n_open_samplers == 0
