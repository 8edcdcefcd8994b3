"""OpenAI's and Anthropic's clients can read the id of a request. /v1/activity lists the request under the same id."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic import Anthropic
from anthropic import BadRequestError as ClaudeRefused
from openai import BadRequestError

from tests.api.live_endpoint import KEY, Live

MESSAGES: Any = [{"role": "user", "content": "Hi"}]


def last_request(endpoint: Live) -> str:
    with endpoint.http() as client:
        found: str = client.get("/v1/activity").json()["data"][0]["id"]
        return f"req_{found}"


def test_openai_client_reads_request_id(endpoint: Live) -> None:
    with endpoint.openai() as client:
        answer = client.chat.completions.create(model="x", messages=MESSAGES)
        assert answer._request_id == last_request(endpoint)
        with client.chat.completions.with_streaming_response.create(
            model="x", messages=MESSAGES, stream=True
        ) as streamed:
            streamed.read()
        assert streamed.headers["x-request-id"] == last_request(endpoint)
        assert client.embeddings.create(model="x", input="Hi")._request_id == last_request(endpoint)
        with pytest.raises(BadRequestError) as refused:
            client.chat.completions.create(model="x", messages=[])
        assert str(refused.value.request_id).startswith("req_")


def test_anthropic_client_reads_request_id(endpoint: Live) -> None:
    with Anthropic(base_url=endpoint.root, api_key=KEY, max_retries=0) as client:
        answer = client.messages.create(model="x", max_tokens=9, messages=MESSAGES)
        assert answer._request_id == last_request(endpoint)
        with pytest.raises(ClaudeRefused) as refused:
            client.messages.create(model="x", max_tokens=9, messages=[])
        body = refused.value.body
        assert isinstance(body, dict)
        assert refused.value.request_id == body["request_id"]


def test_error_for_missing_key_has_request_id(endpoint: Live) -> None:
    with endpoint.http(authorization="Bearer wrong") as client:
        refused = client.post("/v1/messages", json={"messages": MESSAGES})
        assert (refused.status_code, refused.headers["request-id"]) == (401, refused.json()["request_id"])
