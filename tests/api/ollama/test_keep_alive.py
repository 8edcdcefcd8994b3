"""`keep_alive: 0`: the model goes where tools may change it, and comes back with the next request. Elsewhere it stays,
and no answer says that it went."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from api.ollama.schemas import AnswerBody
from engine.errors import ModelFileError
from tests.api.live import Live, ask, live, wait_until
from tests.fakes import FakeOpener, Script

FILE = Path("/secret/place/fake.gguf")
NOW: Any = {"keep_alive": 0}
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


@pytest.mark.parametrize(("path", "body"), SILENT)
def test_a_request_that_says_nothing_frees_the_model(path: str, body: dict[str, object]) -> None:
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
def test_it_goes_after_an_answer_and_the_next_one_brings_it_back(path: str, body: dict[str, object]) -> None:
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
def test_whatever_dialect_asks_next_finds_it(path: str, body: dict[str, object]) -> None:
    with changing() as endpoint:
        endpoint.post(NOW, "/api/generate")
        assert endpoint.post({**body, "model": "/etc/passwd"}, path).status_code == 200
        assert [each.info.path for each in endpoint.opener.backends] == [FILE, FILE]


def test_who_only_looks_does_not_bring_it_back() -> None:
    with changing() as endpoint, endpoint.http() as client:
        endpoint.post(NOW, "/api/generate")
        assert [model["name"] for model in client.get("/api/tags").json()["models"]] == ["fake"]
        assert client.get("/v1/models").json()["data"][0]["id"] == "fake"
        assert client.get("/health").status_code == 200
        assert client.get("/slots").status_code == 503
        assert len(endpoint.opener.backends) == 1


def test_many_that_come_at_once_load_it_once() -> None:
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


def test_nobodys_answer_is_cut_off() -> None:
    with changing(Script(b"It takes a while to say this.", step_s=0.02)) as endpoint:
        said: list[str] = []
        other = threading.Thread(
            target=lambda: said.append(endpoint.post(ask(stream=False), "/api/chat").json()["message"]["content"])
        )
        other.start()
        wait_until(lambda: endpoint.n_under_way == 1)
        assert endpoint.post(NOW, "/api/generate").json()["done_reason"] == "unload"
        assert not freed(endpoint)
        other.join()
        assert said == ["It takes a while to say this."]
        wait_until(lambda: freed(endpoint))


def test_one_after_another_each_letting_it_go_is_served() -> None:
    with changing() as endpoint, endpoint.http() as client:
        statuses = [client.post("/api/chat", json=ask(stream=n % 2 == 0) | NOW).status_code for n in range(20)]
        assert statuses == [200] * 20


def test_what_was_unloaded_for_good_is_not_brought_back() -> None:
    with changing() as endpoint:
        endpoint.post(NOW, "/api/generate")
        endpoint.post({}, "/models/unload")
        assert endpoint.post(ask(), "/api/chat").status_code == 503
        endpoint.post({}, "/models/load")
        assert endpoint.post(ask(), "/api/chat").status_code == 200


def test_a_load_that_fails_is_told_and_tried_again() -> None:
    with changing() as endpoint:
        endpoint.post(NOW, "/api/generate")
        endpoint.script.load_error = ModelFileError(FILE, "the file is cut short")
        broken = endpoint.post(ask(), "/api/chat")
        assert broken.status_code == 500
        assert "secret" not in broken.text
        endpoint.script.load_error = None
        assert endpoint.post(ask(), "/api/chat").status_code == 200


@pytest.mark.parametrize(("path", "body"), [*SILENT, *ANSWERED])
def test_where_tools_may_not_change_it_the_model_stays(endpoint: Live, path: str, body: dict[str, object]) -> None:
    answer = endpoint.post({**body, **NOW}, path)
    assert answer.status_code == 200
    assert "unload" not in answer.text
    assert running(endpoint) == ["fake"]
    assert endpoint.post(ask()).status_code == 200
    assert len(endpoint.opener.backends) == 1


@pytest.mark.parametrize("text", [0, 0.0, 0.5, "0", "0s", "0m", "0h0m0s", "0.0ms"])
def test_no_time_in_all_its_spellings(text: object) -> None:
    assert AnswerBody.model_validate({"keep_alive": text}).lets_go


@pytest.mark.parametrize("text", [None, 1, -1, -0.5, False, "5m", "-1", "1h0m", "10s", "", "0x", "s", [], {}])
def test_any_other_time_keeps_it(text: object) -> None:
    assert not AnswerBody.model_validate({"keep_alive": text}).lets_go
