"""Queries about the model, such as token counts, are listed, limited and cancelled like answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.activity import KEY_CHECK_INTERVAL_S
from api.authentication import KeyFile
from api.request_context import RequestContextDep
from engine.chat_engine import Queries
from tests.api.live_endpoint import Live, ask, live, wait_until

LIMIT_BYTES = 100_000
TEXT = "x" * LIMIT_BYTES


async def endless(ctx: RequestContextDep) -> str:
    """A route whose query about the model ends only when it is cancelled."""

    async def work(questions: Queries) -> str:
        await asyncio.Event().wait()
        return ""

    return await ctx.query(work)


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Live]:
    with live(max_query_bytes=LIMIT_BYTES, named_keys=tmp_path / "keys.json", max_requests=2) as endpoint:
        endpoint.app.add_api_route("/endless", endless, methods=["POST"])
        yield endpoint


def calls(endpoint: Live) -> list[dict[str, Any]]:
    with endpoint.http() as client:
        found: list[dict[str, Any]] = client.get("/v1/activity").json()["data"]
    return found


QUERIES: list[tuple[str, dict[str, Any]]] = [
    ("/tokenize", {"content": "Hi", "with_pieces": True}),
    ("/detokenize", {"tokens": [1, 2]}),
    ("/apply-template", ask()),
    ("/v1/messages/count_tokens", ask()),
    ("/v1/chat/completions/input_tokens", ask()),
    ("/v1/responses/input_tokens", {"input": "Hi"}),
    ("/api/show", {"model": "fake"}),
]


@pytest.mark.parametrize(("path", "body"), QUERIES)
def test_model_query_is_listed_in_activity(endpoint: Live, path: str, body: dict[str, Any]) -> None:
    assert endpoint.post(body, path).status_code == 200
    assert [(call["path"], call["state"]) for call in calls(endpoint)] == [(path, "finished")]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/infill", {"input_prefix": "a", "input_suffix": "b", "n_predict": 2}),
        ("/v1/completions", {"prompt": "a", "suffix": "b", "max_tokens": 2}),
        ("/v1/completions", {"prompt": [1, 2], "echo": True, "max_tokens": 2}),
        ("/api/generate", {"prompt": "a", "suffix": "b", "stream": False}),
    ],
)
def test_query_that_prepares_an_answer_is_not_listed_in_activity(
    endpoint: Live, path: str, body: dict[str, Any]
) -> None:
    assert endpoint.post(body, path).status_code == 200
    assert [(call["path"], call["state"]) for call in calls(endpoint)] == [(path, "finished")]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tokenize", {"content": TEXT}),
        ("/detokenize", {"tokens": [1] * LIMIT_BYTES}),
        ("/apply-template", ask(TEXT)),
        ("/v1/messages/count_tokens", ask(TEXT)),
        ("/v1/chat/completions/input_tokens", ask(TEXT)),
        ("/v1/responses/input_tokens", {"input": TEXT}),
        ("/infill", {"input_prefix": TEXT, "input_suffix": "b"}),
    ],
)
def test_query_with_body_above_size_limit_is_413(endpoint: Live, path: str, body: dict[str, Any]) -> None:
    assert endpoint.post(body, path).status_code == 413


def test_running_query_is_shown_and_can_be_stopped(endpoint: Live) -> None:
    with ThreadPoolExecutor() as pool, endpoint.http() as client:
        body = pool.submit(endpoint.post, {}, "/endless")
        wait_until(lambda: [call["state"] for call in calls(endpoint)] == ["reading"])
        assert client.get("/health").status_code == 200
        assert endpoint.post({"content": "Hi"}, "/tokenize").status_code == 200
        assert client.delete(f"/v1/activity/{calls(endpoint)[0]['id']}").json() == {"stopped": 1}
        assert body.result().json()["error"]["code"] == "request_stopped"


def test_disconnect_cancels_query(endpoint: Live) -> None:
    with endpoint.http() as client, pytest.raises(httpx.ReadTimeout):
        client.post("/endless", json={}, timeout=0.3)
    wait_until(lambda: endpoint.n_in_progress == 0)
    assert calls(endpoint)[0]["state"] == "cancelled"


def test_running_query_is_cancelled_when_its_key_is_revoked(endpoint: Live, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    key = keys.add("a")
    with ThreadPoolExecutor() as pool:
        body = pool.submit(
            lambda: httpx.post(
                f"{endpoint.root}/endless", json={}, headers={"x-api-key": key}, trust_env=False, timeout=20
            )
        )
        wait_until(lambda: endpoint.n_in_progress == 1)
        keys.revoke("a")
        wait_until(lambda: endpoint.n_in_progress == 0, KEY_CHECK_INTERVAL_S + 3)
        assert body.result().status_code == 503


def test_queries_count_towards_request_limit(endpoint: Live) -> None:
    with ThreadPoolExecutor() as pool:
        body = [pool.submit(endpoint.post, {}, "/endless") for _ in range(2)]
        wait_until(lambda: endpoint.n_in_progress == 2)
        assert endpoint.post({"content": "Hi"}, "/tokenize").status_code == 429
        with endpoint.http() as client:
            assert client.delete("/v1/activity").json() == {"stopped": 2}
        assert {each.result().status_code for each in body} == {503}


def test_server_stop_cancels_queries() -> None:
    with live() as endpoint, ThreadPoolExecutor() as pool:
        endpoint.app.add_api_route("/endless", endless, methods=["POST"])
        body = pool.submit(endpoint.post, {}, "/endless")
        wait_until(lambda: endpoint.n_in_progress == 1)
        began = time.monotonic()
        endpoint.server.stop()
        assert time.monotonic() - began < 10
        assert body.result().status_code == 503
