"""With a named key, a client can see and stop only the requests that were sent with that key. With the endpoint's own
key, a client can see and stop all requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.activity import KEY_CHECK_INTERVAL_S
from api.authentication import KeyFile
from engine.backend import Limits
from tests.api.live_endpoint import Live, ask, live, wait_until
from tests.fakes import FakeOpener, Script


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Live]:
    keys = tmp_path / "keys.json"
    with live(
        FakeOpener(Script(step_s=0.01), Limits(4096, 2, 64)), named_keys=keys, responses=tmp_path / "responses"
    ) as endpoint:
        yield endpoint


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys.json")


@contextmanager
def tool(endpoint: Live, key: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=endpoint.root, headers={"x-api-key": key}, trust_env=False, timeout=20) as client:
        yield client


def n_in_progress(client: httpx.Client) -> int:
    calls = client.get("/v1/activity").json()["data"]
    return sum(call["state"] in ("queued", "reading", "writing") for call in calls)


def test_client_with_a_named_key_can_neither_see_nor_stop_requests_of_other_keys(slow: Live, keys: KeyFile) -> None:
    with (
        ThreadPoolExecutor() as pool,
        slow.http() as own,
        tool(slow, keys.add("a")) as first,
        tool(slow, keys.add("b")) as second,
    ):
        body = pool.submit(first.post, "/v1/chat/completions", json=ask(max_tokens=3000))
        wait_until(lambda: n_in_progress(first) == 1)
        request_id = own.get("/v1/activity").json()["data"][0]["id"]
        assert (n_in_progress(own), n_in_progress(second)) == (1, 0)
        assert second.delete(f"/v1/activity/{request_id}").status_code == 404
        assert second.delete("/v1/activity").json() == {"stopped": 0}
        slot = next(slot for slot in second.get("/slots").json() if slot["is_processing"])
        assert (slot["id_task"], slot["params"]) == (-1, {})
        assert not body.done()
        assert first.delete(f"/v1/activity/{request_id}").json() == {"stopped": 1}
        assert body.result().status_code == 503
        assert list(second.get("/v1/activity").json()["keys"]) == []
        assert list(first.get("/v1/activity").json()["keys"]) == ["a"]
        assert 'key="a"' not in second.get("/metrics").text
        assert 'key="a"' in own.get("/metrics").text


def test_client_with_the_endpoint_key_can_stop_requests_of_any_key(slow: Live, keys: KeyFile) -> None:
    with ThreadPoolExecutor() as pool, slow.http() as own, tool(slow, keys.add("a")) as first:
        body = pool.submit(first.post, "/v1/chat/completions", json=ask(max_tokens=3000))
        wait_until(lambda: n_in_progress(own) == 1)
        assert own.delete("/v1/activity").json() == {"stopped": 1}
        assert body.result().status_code == 503


def test_stored_response_of_another_key_is_not_found_on_any_route(slow: Live, keys: KeyFile) -> None:
    with slow.http() as own, tool(slow, keys.add("a")) as first, tool(slow, keys.add("b")) as second:
        body = {"input": "Hi", "max_output_tokens": 2}
        response_id = first.post("/v1/responses", json=body).json()["id"]
        own_id = own.post("/v1/responses", json=body).json()["id"]
        routes: list[Callable[[httpx.Client, str], httpx.Response]] = [
            lambda client, id: client.get(f"/v1/responses/{id}"),
            lambda client, id: client.get(f"/responses/{id}?stream=true"),
            lambda client, id: client.get(f"/v1/responses/{id}/input_items"),
            lambda client, id: client.post("/v1/responses", json={**body, "previous_response_id": id}),
            lambda client, id: client.post("/v1/responses/input_tokens", json={**body, "previous_response_id": id}),
            lambda client, id: client.delete(f"/v1/responses/{id}"),
        ]
        for route in routes:
            assert route(second, response_id).status_code == 404
            assert route(first, own_id).status_code == 404
        for client in (first, own):
            assert [route(client, response_id).status_code for route in routes[:-1]] == [200] * 5
        assert second.post(f"/v1/responses/{response_id}/cancel").status_code == 404
        reference = {
            "type": "item_reference",
            "id": first.get(f"/v1/responses/{response_id}").json()["output"][0]["id"],
        }
        for client, status in ((first, 200), (own, 200), (second, 400)):
            answer = client.post("/v1/responses", json={**body, "input": [reference, {"role": "user", "content": "a"}]})
            assert answer.status_code == status
        assert own.delete(f"/v1/responses/{response_id}").status_code == 200


def test_new_key_with_the_name_of_a_revoked_key_does_not_show_its_requests(slow: Live, keys: KeyFile) -> None:
    with tool(slow, keys.add("a")) as first:
        response_id = first.post("/v1/responses", json={"input": "Hi", "max_output_tokens": 2}).json()["id"]
    keys.revoke("a")
    with tool(slow, keys.add("a")) as second:
        assert second.get(f"/v1/responses/{response_id}").status_code == 404
        assert second.get("/v1/activity").json()["data"] == []


def _routes() -> list[tuple[str, dict[str, Any]]]:
    return [
        ("/v1/chat/completions", ask(max_tokens=3000, stream=True)),
        ("/v1/chat/completions", ask(max_tokens=3000)),
        ("/v1/responses", {"input": "Hi", "max_output_tokens": 3000, "stream": True}),
        ("/v1/messages", ask(max_tokens=3000, stream=True)),
        ("/api/chat", ask(options={"num_predict": 3000})),
        ("/completion", {"prompt": "a", "n_predict": 3000, "stream": True}),
    ]


@pytest.mark.parametrize(("path", "body"), _routes())
def test_running_request_is_cancelled_when_its_key_is_revoked(
    slow: Live, keys: KeyFile, path: str, body: dict[str, Any]
) -> None:
    with ThreadPoolExecutor() as pool, tool(slow, keys.add("a")) as first, slow.http() as own:
        future = pool.submit(first.post, path, content=json.dumps(body), headers={"content-type": "application/json"})
        wait_until(lambda: n_in_progress(own) == 1)
        keys.revoke("a")
        wait_until(lambda: n_in_progress(own) == 0, KEY_CHECK_INTERVAL_S + 3)
        # the status is 200 if the stream began before the key was revoked
        assert future.result().status_code in (200, 503)
        assert own.get("/v1/activity").json()["data"][0]["state"] == "cancelled"
