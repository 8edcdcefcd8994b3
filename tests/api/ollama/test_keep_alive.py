"""Ollama's `keep_alive`. If the settings allow model changes, an idle model is unloaded, and the next request loads it.

Otherwise the model stays loaded, and answers state that.
"""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from api.keep_alive import KeepAlive
from api.ollama.models import NEVER
from api.ollama.schemas import AnswerBody
from engine.engine import Engine
from engine.errors import ModelFileError
from engine.events import TextDelta
from engine.requests import ChatRequest, Message
from tests.api.live_endpoint import Live, ask, live, wait_until
from tests.fakes import FakeOpener, Script

FILE = Path("/secret/place/fake.gguf")
NOW: Any = {"keep_alive": 0}
NO_TIME = '\'keep_alive\': Must be a number of seconds, or a duration such as "5m" or "1h30m".'
SILENT = [("/api/generate", {"model": "any"}), ("/api/chat", {"model": "any", "messages": []})]
ANSWERED = [
    ("/api/chat", ask(stream=False)),
    ("/api/chat", ask(stream=True)),
    ("/api/generate", {"prompt": "Hi", "stream": False}),
    ("/api/generate", {"prompt": "Hi"}),
    ("/api/embed", {"input": "Hi"}),
    ("/api/embeddings", {"prompt": "Hi"}),
]


def changing(script: Script | None = None) -> Any:
    return live(FakeOpener(script or Script(b"Hello there.")), model_changes=FILE)


def freed(endpoint: Live) -> bool:
    return endpoint.opener.backends[-1].closed


def running(endpoint: Live) -> list[str]:
    with endpoint.http() as client:
        return [model["name"] for model in client.get("/api/ps").json()["models"]]


def expiry(endpoint: Live) -> float | None:
    """Returns the Unix time at which the model will be unloaded; None if never."""
    with endpoint.http() as client:
        (model,) = client.get("/api/ps").json()["models"]
    value = model["expires_at"]
    return None if value == NEVER else datetime.fromisoformat(value).timestamp()


@pytest.mark.parametrize(("path", "body"), SILENT)
def test_empty_request_with_keep_alive_zero_unloads_model(path: str, body: dict[str, object]) -> None:
    with changing() as endpoint:
        assert running(endpoint) == ["fake"]
        gone = endpoint.post({**body, **NOW}, path)
        assert (gone.status_code, gone.json()["done"], gone.json()["done_reason"]) == (200, True, "unload")
        assert freed(endpoint)
        assert running(endpoint) == []
        again = endpoint.post({**body, **NOW}, path)
        assert again.json()["done_reason"] == "unload"
        assert len(endpoint.opener.backends) == 1, "loaded only to be freed"
        assert endpoint.post(body, path).json()["done_reason"] == "load"
        assert running(endpoint) == ["fake"]
        assert len(endpoint.opener.backends) == 2


@pytest.mark.parametrize(("path", "body"), ANSWERED)
def test_keep_alive_zero_unloads_model_after_answer_and_next_request_loads_it(
    path: str, body: dict[str, object]
) -> None:
    with changing() as endpoint:
        for n in (1, 2):
            answer = endpoint.post({**body, **NOW}, path)
            assert answer.status_code == 200
            if "embed" not in path:
                assert json.loads(answer.text.splitlines()[-1])["done_reason"] == "stop"
            assert len(endpoint.opener.backends) == n
            wait_until(lambda: freed(endpoint))
            wait_until(lambda: running(endpoint) == [])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", ask()),
        ("/v1/messages", ask(max_tokens=9)),
        ("/v1/messages/count_tokens", ask()),
        ("/completion", {"prompt": "Hi"}),
        ("/tokenize", {"content": "Hi"}),
        ("/v1/embeddings", {"input": "Hi"}),
        ("/api/show", {"model": "fake"}),
    ],
)
def test_next_request_in_any_dialect_loads_model(path: str, body: dict[str, object]) -> None:
    with changing() as endpoint:
        endpoint.post(NOW, "/api/generate")
        assert endpoint.post({**body, "model": "/etc/passwd"}, path).status_code == 200
        assert [each.info.path for each in endpoint.opener.backends] == [FILE, FILE]


def test_get_requests_do_not_load_model() -> None:
    with changing() as endpoint, endpoint.http() as client:
        endpoint.post(NOW, "/api/generate")
        assert [model["name"] for model in client.get("/api/tags").json()["models"]] == ["fake"]
        assert client.get("/v1/models").json()["data"][0]["id"] == "fake"
        assert client.get("/health").status_code == 200
        assert client.get("/slots").status_code == 503
        assert len(endpoint.opener.backends) == 1


def test_concurrent_requests_load_model_once() -> None:
    with changing(Script(b"Hello.", load_s=0.2)) as endpoint:
        endpoint.post(NOW, "/api/generate")
        statuses: list[int] = []
        clients = [threading.Thread(target=lambda: statuses.append(endpoint.post(ask()).status_code)) for _ in range(6)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert statuses == [200] * 6
        assert len(endpoint.opener.backends) == 2


def test_keep_alive_zero_does_not_interrupt_other_answers() -> None:
    with changing(Script(b"It takes a while to say this.", step_s=0.05)) as endpoint:
        answers: list[str] = []
        other = threading.Thread(
            target=lambda: answers.append(endpoint.post(ask(stream=False), "/api/chat").json()["message"]["content"])
        )
        other.start()
        wait_until(lambda: endpoint.n_in_progress == 1)
        assert endpoint.post(NOW, "/api/generate").json()["done_reason"] == "unload"
        assert not freed(endpoint)
        other.join()
        assert answers == ["It takes a while to say this."]
        wait_until(lambda: freed(endpoint))


def test_consecutive_requests_with_keep_alive_zero_are_all_answered() -> None:
    with changing() as endpoint, endpoint.http() as client:
        statuses = [client.post("/api/chat", json=ask(stream=n % 2 == 0) | NOW).status_code for n in range(20)]
        assert statuses == [200] * 20


def test_explicitly_unloaded_model_is_not_loaded_by_requests() -> None:
    with changing() as endpoint:
        endpoint.post(NOW, "/api/generate")
        endpoint.post({}, "/models/unload")
        assert endpoint.post(ask(), "/api/chat").status_code == 503
        endpoint.post({}, "/models/load")
        assert endpoint.post(ask(), "/api/chat").status_code == 200


def test_failed_load_is_500_and_next_request_loads_again() -> None:
    with changing() as endpoint:
        endpoint.post(NOW, "/api/generate")
        endpoint.script.load_error = ModelFileError(FILE, "the file is cut short")
        broken = endpoint.post(ask(), "/api/chat")
        assert broken.status_code == 500
        assert "secret" not in broken.text
        endpoint.script.load_error = None
        assert endpoint.post(ask(), "/api/chat").status_code == 200


@pytest.mark.parametrize(("path", "body"), [*SILENT, *ANSWERED])
def test_model_stays_loaded_after_keep_alive_zero_if_settings_forbid_model_changes(
    endpoint: Live, path: str, body: dict[str, object]
) -> None:
    answer = endpoint.post({**body, **NOW}, path)
    assert answer.status_code == 200
    assert "unload" not in answer.text
    assert running(endpoint) == ["fake"]
    assert endpoint.post(ask()).status_code == 200
    assert len(endpoint.opener.backends) == 1


@pytest.mark.parametrize(("path", "body"), [*SILENT, *ANSWERED])
def test_idle_model_is_unloaded_after_keep_alive(path: str, body: dict[str, object]) -> None:
    with changing() as endpoint:
        began = time.monotonic()
        answer = endpoint.post({**body, "keep_alive": "300ms"}, path)
        assert answer.status_code == 200
        assert "unload" not in answer.text
        wait_until(lambda: freed(endpoint))
        assert time.monotonic() - began >= 0.3
        wait_until(lambda: running(endpoint) == [])
        assert endpoint.post(body, path).status_code == 200
        assert len(endpoint.opener.backends) == 2
        assert expiry(endpoint) is None, "what was said holds until the model goes"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        *SILENT,
        *ANSWERED,
        ("/v1/chat/completions", ask()),
        ("/v1/chat/completions", ask(stream=True)),
        ("/v1/embeddings", {"input": "Hi"}),
        ("/v1/messages/count_tokens", ask()),
        ("/tokenize", {"content": "Hi"}),
    ],
)
def test_post_request_to_any_model_route_restarts_keep_alive_time(path: str, body: dict[str, object]) -> None:
    with changing() as endpoint:
        endpoint.post({"keep_alive": 60}, "/api/generate")
        before = time.time()
        assert endpoint.post(body, path).status_code == 200
        # The client gets its answer shortly before the request ends on the server. The idle time restarts when the
        # request ends.
        wait_until(lambda: (expiry(endpoint) or 0) >= before + 60)
        time.sleep(0.05)
        assert (expiry(endpoint) or 0) <= time.time() + 60 - 0.02


def test_get_requests_do_not_restart_keep_alive_time() -> None:
    with changing() as endpoint, endpoint.http() as client:
        endpoint.post({"keep_alive": 60}, "/api/generate")
        wait_until(lambda: endpoint.n_in_progress == 0)  # the time begins when the request has ended on the server
        expected = expiry(endpoint) or 0
        time.sleep(0.2)
        for path in ("/v1/models", "/slots", "/props", "/api/tags", "/api/ps", "/health"):
            assert client.get(path).status_code == 200
        assert expiry(endpoint) == pytest.approx(expected, abs=0.1)


def test_answer_longer_than_keep_alive_is_complete() -> None:
    with changing(Script(b"It takes a while to say this.", step_s=0.02)) as endpoint:
        answer = endpoint.post(ask(stream=False, keep_alive=0.05), "/api/chat").json()
        assert answer["message"]["content"] == "It takes a while to say this."
        wait_until(lambda: freed(endpoint))


def test_keep_alive_value_of_last_request_replaces_earlier_values() -> None:
    with changing() as endpoint:
        endpoint.post({"keep_alive": "1h"}, "/api/generate")
        endpoint.post({"keep_alive": 0.05}, "/api/generate")
        wait_until(lambda: freed(endpoint))
        endpoint.post({"keep_alive": "200ms"}, "/api/generate")
        endpoint.post(ask(keep_alive=-1), "/api/chat")
        time.sleep(0.4)
        assert running(endpoint) == ["fake"]
        assert expiry(endpoint) is None


def test_request_without_keep_alive_does_not_change_earlier_value() -> None:
    with changing() as endpoint:
        assert expiry(endpoint) is None
        endpoint.post({"keep_alive": "5m"}, "/api/generate")
        endpoint.post(ask(stream=False, keep_alive=None), "/api/chat")
        assert abs((expiry(endpoint) or 0) - time.time() - 300) < 5


@pytest.mark.parametrize("keep_alive", [0, 0.05])
def test_model_stays_loaded_until_chat_in_window_ends(keep_alive: float) -> None:
    async def chat(engine: Engine) -> str:
        request = ChatRequest((Message("user", "Hello"),), origin="window")
        async with engine.submit(request) as stream:
            return "".join([event.text async for event in stream if isinstance(event, TextDelta)])

    with changing(Script(b"It takes a while to say this.", step_s=0.02)) as endpoint:
        answers: list[str] = []
        window = threading.Thread(target=lambda: answers.append(asyncio.run(chat(endpoint.engine))))
        window.start()
        wait_until(lambda: endpoint.engine.idle_since is None)
        endpoint.post({"keep_alive": keep_alive}, "/api/generate")
        window.join()
        assert answers == ["It takes a while to say this."]
        wait_until(lambda: freed(endpoint))


@pytest.mark.parametrize("stream", [False, True])
def test_keep_alive_time_begins_when_request_fails(stream: bool) -> None:
    with changing() as endpoint:
        refused = endpoint.post(ask("word " * 2000, stream=stream, keep_alive=0.1), "/api/chat")
        assert (refused.status_code, "maximum context length" in refused.text) == (400, True)
        wait_until(lambda: freed(endpoint))


@pytest.mark.parametrize("stream", [False, True])
def test_keep_alive_time_begins_when_client_disconnects(stream: bool) -> None:
    with changing(Script(step_s=0.01)) as endpoint:
        body = json.dumps(ask(stream=stream, keep_alive=0.1)).encode()
        head = endpoint.chat_head(len(body)).replace(b"/v1/chat/completions", b"/api/chat")
        with endpoint.socket() as connection:
            connection.sendall(head + body)
            wait_until(lambda: endpoint.n_in_progress == 1)
            assert not freed(endpoint)
        wait_until(lambda: freed(endpoint))


def test_aclose_of_keep_alive_stops_its_idle_timer() -> None:
    async def close_while_it_counts() -> bool:
        engine = Engine(FakeOpener(Script()))
        await engine.load(FILE)
        keep_alive = KeepAlive(engine, FILE)
        keep_alive.unload_after(0.05)
        await asyncio.sleep(0)
        await keep_alive.aclose()
        await asyncio.sleep(0.2)
        still_there, left = engine.status.state == "ready", asyncio.all_tasks() - {asyncio.current_task()}
        await engine.aclose()
        return still_there and not any(task.get_name() == "unload the idle model" for task in left)

    assert asyncio.run(close_while_it_counts())


def test_model_has_no_expiry_time_if_settings_forbid_model_changes(endpoint: Live) -> None:
    assert endpoint.post({"keep_alive": "50ms"}, "/api/generate").json()["done_reason"] == "load"
    assert expiry(endpoint) is None
    time.sleep(0.2)
    assert running(endpoint) == ["fake"]


@pytest.mark.parametrize("path", [path for path, _ in SILENT] + ["/api/embed", "/api/embeddings"])
@pytest.mark.parametrize(
    "text", [False, True, "", "0x", "s", "5 m", "5m ", "-", "1.2.3s", "soon", "٣s", [], {}, "1" * 99]
)
def test_invalid_duration_is_refused(endpoint: Live, path: str, text: object) -> None:
    refused = endpoint.post({"keep_alive": text}, path)
    assert refused.status_code == 400
    assert refused.json()["error"] == NO_TIME


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *[(text, 0) for text in (0, 0.0, "0", "0s", "-0", "0m", "0h0m0s", "0.0ms")],
        *[(text, 300) for text in (300, 300.0, "5m", "300", "300s", "4m60s", "+5m", "5.m")],
        *[(text, 0.3) for text in (0.3, "300ms", ".3s", "300000us", "300000µs", "300000μs", "300000000ns")],
        ("1h30m", 5400),
        ("1.5h", 5400),
        *[(text, math.inf) for text in (-1, -0.5, "-1", "-1s", "-5m", "9999999h", 1e300, 10**400)],
        (None, None),
    ],
)
def test_keep_alive_durations_are_parsed_as_in_go(text: object, seconds: float | None) -> None:
    found = AnswerBody.model_validate_json(json.dumps({"keep_alive": text})).keep_alive
    assert found == (None if seconds is None else pytest.approx(seconds))
