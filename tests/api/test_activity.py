"""/v1/activity lists requests, stops them, and shows the usage by key. The number of requests in progress is
limited."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.activity import MAX_ENDED_RECORDS
from api.authentication import KeyFile
from engine.backend import Limits
from tests.api.live_endpoint import Live, ask, live, wait_until
from tests.fakes import FakeOpener, Script


@pytest.fixture
def slow() -> Iterator[Live]:
    """An endpoint with two slots, whose decode steps take 10 ms."""
    with live(FakeOpener(Script(step_s=0.01), Limits(4096, 2, 64)), keep_bodies=True) as endpoint:
        yield endpoint


def calls(endpoint: Live) -> list[dict[str, Any]]:
    with endpoint.http() as client:
        found: list[dict[str, Any]] = client.get("/v1/activity").json()["data"]
    return found


def states(endpoint: Live) -> list[str]:
    return [call["state"] for call in calls(endpoint)]


def test_activity_lists_queued_and_running_and_ended_requests(slow: Live) -> None:
    bodies = [ask(f"number {n}", max_tokens=120) for n in range(4)]
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(slow.post, body) for body in bodies]
        wait_until(lambda: states(slow) == ["writing", "writing", "queued", "queued"])
        seen = calls(slow)
        assert [call["queue_place"] for call in seen] == [0, 0, 1, 2]
        assert all(call["n_read"] == call["n_prompt"] > 0 and call["tokens_per_s"] > 0 for call in seen[:2])
        assert {(call["client"], call["key"], call["dialect"]) for call in seen} == {
            ("127.0.0.1", "inglenook", "openai")
        }
        assert all(each.result().status_code == 200 for each in futures)
    assert states(slow) == ["finished"] * 4
    ended = calls(slow)
    assert sorted(call["body"].count("number") for call in ended) == [1, 1, 1, 1]
    assert {call["n_output"] for call in ended} == {120}


def test_activity_shows_prompt_progress(slow: Live) -> None:
    with ThreadPoolExecutor() as pool:
        futures = pool.submit(slow.post, ask("x" * 3500, max_tokens=1))
        wait_until(lambda: any(0 < call["n_read"] < call["n_prompt"] for call in calls(slow)))
        assert calls(slow)[0]["state"] == "reading"
        assert futures.result().status_code == 200


@pytest.mark.parametrize(
    ("path", "dialect"),
    [("/v1/chat/completions", "openai"), ("/v1/messages", "anthropic"), ("/api/chat", "ollama")],
)
def test_deleting_one_activity_entry_cancels_only_that_request(slow: Live, path: str, dialect: str) -> None:
    with ThreadPoolExecutor() as pool, slow.http() as client:
        stopped = pool.submit(slow.post, ask("a", max_tokens=3000, stream=False), path)
        wait_until(lambda: states(slow) == ["writing"])
        other = pool.submit(slow.post, ask("b", max_tokens=20))
        call = calls(slow)[0]
        assert call["dialect"] == dialect
        assert client.delete(f"/v1/activity/{call['id']}").json() == {"stopped": 1}
        assert stopped.result().status_code == 503
        assert other.result().status_code == 200
        assert client.delete(f"/v1/activity/{call['id']}").status_code == 404
    assert sorted(states(slow)) == ["cancelled", "finished"]


def test_delete_method_on_activity_route_stops_all_requests(slow: Live) -> None:
    with ThreadPoolExecutor() as pool, slow.http() as client:
        futures = [pool.submit(slow.post, ask(max_tokens=3000)) for _ in range(5)]
        wait_until(lambda: len(states(slow)) == 5)
        assert client.delete("/v1/activity").json() == {"stopped": 5}
        assert {each.result().status_code for each in futures} == {503}
    assert slow.n_in_progress == 0


def test_activity_lists_failed_requests_and_embedding_requests() -> None:
    with live() as endpoint:
        endpoint.post(ask("x" * 9000))
        endpoint.post({"input": "a"}, "/v1/embeddings")
        seen = calls(endpoint)
    assert [(call["path"], call["state"]) for call in seen[1:]] == [("/v1/chat/completions", "failed")]
    assert (seen[0]["path"], seen[0]["state"]) == ("/v1/embeddings", "finished")
    assert seen[0]["body"] is None  # bodies are not kept by default


def test_activity_lists_only_the_most_recently_ended_requests() -> None:
    with live(FakeOpener(Script(b""))) as endpoint, endpoint.http() as client:
        for _ in range(MAX_ENDED_RECORDS + 5):
            client.post("/v1/chat/completions", json=ask())
        assert len(calls(endpoint)) == MAX_ENDED_RECORDS


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/chat/completions", lambda body: body["error"]["code"] == "queue_full"),
        ("/v1/messages", lambda body: body["error"]["type"] == "rate_limit_error"),
        ("/api/chat", lambda body: isinstance(body["error"], str)),
        ("/v1/embeddings", lambda body: body["error"]["code"] == "queue_full"),
    ],
)
def test_request_is_429_if_limit_of_requests_in_progress_is_reached(path: str, kind: Any) -> None:
    with live(FakeOpener(Script(step_s=0.01)), max_requests=3) as endpoint, ThreadPoolExecutor() as pool:
        futures = [pool.submit(endpoint.post, ask(max_tokens=80)) for _ in range(3)]
        wait_until(lambda: endpoint.n_in_progress == 3)
        refused = endpoint.post(ask(max_tokens=1, input="a"), path)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
        assert kind(refused.json())
        assert [each.result().status_code for each in futures] == [200] * 3
        assert endpoint.post(ask(max_tokens=1)).status_code == 200


def test_request_with_more_choices_than_limit_is_accepted_if_it_is_the_only_one() -> None:
    with live(max_requests=3) as endpoint:
        assert len(endpoint.post(ask(n=5)).json()["choices"]) == 5


def test_concurrent_clients_are_all_answered() -> None:
    """Sixty clients send requests at once. Each gets its own answer, whole or streamed."""
    with live(FakeOpener(Script(step_s=0.001))) as endpoint:
        alone = {n: endpoint.post(ask(f"n{n}", max_tokens=20)).json() for n in range(60)}

        def one(n: int) -> str:
            if n % 2:
                with endpoint.openai() as client:
                    chunks = client.chat.completions.create(
                        model="x", messages=[{"role": "user", "content": f"n{n}"}], max_tokens=20, stream=True
                    )
                    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
            found: str = endpoint.post(ask(f"n{n}", max_tokens=20)).json()["choices"][0]["message"]["content"]
            return found

        with ThreadPoolExecutor(60) as pool:
            answers = list(pool.map(one, range(60)))
        assert answers == [alone[n]["choices"][0]["message"]["content"] for n in range(60)]
        wait_until(lambda: endpoint.n_in_progress == 0)


def test_activity_names_the_key_of_a_request(tmp_path: Any) -> None:
    from api.authentication import KeyFile

    keys = KeyFile(tmp_path / "keys.json")
    value = keys.add("editor")
    with live(named_keys=tmp_path / "keys.json") as endpoint:

        def status(header: dict[str, str]) -> int:
            return httpx.post(
                f"{endpoint.root}/v1/chat/completions", json=ask(), headers=header, trust_env=False, timeout=20
            ).status_code

        assert status({"authorization": f"Bearer {value}"}) == status({"x-api-key": value}) == 200
        assert calls(endpoint)[0]["key"] == "editor"
        keys.revoke("editor")
        assert status({"authorization": f"Bearer {value}"}) == status({"x-api-key": value}) == 401
        assert status({"x-api-key": keys.add("other")}) == 200


def test_usage_is_counted_by_key(tmp_path: Path) -> None:
    named = tmp_path / "keys.json"
    value = KeyFile(named).add("editor")
    with live(named_keys=named) as endpoint, endpoint.http() as own, endpoint.http(authorization="") as tool:
        own.post("/v1/chat/completions", json=ask())
        for path, body in (("/v1/chat/completions", ask(n=2)), ("/v1/embeddings", {"input": "ab"})):
            assert tool.post(path, json=body, headers={"x-api-key": value}).status_code == 200
        shown = own.get("/v1/activity").json()
        scraped = own.get("/metrics").text
    spent = {key: sum(call["n_prompt"] for call in shown["data"] if call["key"] == key) for key in shown["keys"]}
    assert shown["keys"] == {
        "inglenook": {"n_requests": 1, "n_tokens_in": spent["inglenook"], "n_tokens_out": 13},
        "editor": {"n_requests": 3, "n_tokens_in": spent["editor"], "n_tokens_out": 26},
    }
    assert min(spent.values()) > 0
    assert 'inglenook:key_tokens_out_total{key="editor"} 26.0' in scraped
    assert value not in scraped + str(shown)


def test_activity_counts_tokens_that_a_slow_client_has_not_read_yet() -> None:
    opener = FakeOpener(Script(b"x" * 20_000, step_s=0.0001), Limits(30_000, 8, 64))
    with live(opener) as endpoint, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        connection.connect(("127.0.0.1", endpoint.server.port))
        connection.sendall(endpoint.raw_chat(ask(stream=True, logprobs=True, top_logprobs=5)))
        wait_until(lambda: endpoint.n_in_progress == 1)
        call = calls(endpoint)[0]
        wait_until(lambda: endpoint.engine.progress(call["id"]) is None, timeout_s=30)
        seen = calls(endpoint)[0]
        assert (seen["state"], seen["n_output"]) == ("writing", 20_001)
