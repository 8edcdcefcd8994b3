"""Requests reach a model by its name: the endpoint's own, files that are loaded when needed, and other servers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.__main__ import loading, offering
from api.app import create_app
from api.model_router import ModelRouter
from api.model_sources import FileSource, RemoteSource, UnloadedModel
from api.served_models import ServedModels
from api.server import EndpointServer
from engine.backend import LoadSettings
from engine.chat_engine import Capabilities
from engine.engine import Engine
from engine.errors import ModelFileError
from engine.pool import ModelPool
from tests.api.live_endpoint import KEY, settings, wait_until
from tests.fakes import FakeBackend, FakeOpener, Script
from tests.limited_engine import LimitedEngine, LimitedModel, LimitedStatus

USER: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
FIRST, SECOND = Path("/secret/first.gguf"), Path("/secret/second.gguf")
FILES = {SECOND: UnloadedModel("second", "Second", 2048, 1.0, 99)}


@dataclass
class Models:
    """Opens fake models that answer with the name of their file. `may_load` delays loads of SECOND."""

    may_load: threading.Event
    error: Exception | None = None

    def __call__(self, path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> FakeBackend:
        if path == SECOND:
            self.may_load.wait(20)
            if self.error is not None:
                raise self.error
        backend = FakeOpener(Script(f"I am {path.stem}.".encode()))(path, settings, on_progress)
        backend.info = replace(backend.info, id=path.stem)
        return backend


def remote(id: str, answer: str = "", **more: Any) -> LimitedEngine:
    model = LimitedModel(id=id, name=id.title())
    return LimitedEngine(Capabilities(**more), answer or f"I am {id}.", status=LimitedStatus(model=model))


def source(engine: LimitedEngine, place: str = "box") -> RemoteSource:
    assert engine.status.model is not None
    return RemoteSource(engine, engine.status.model, place)


@contextmanager
def serving(router: ModelRouter, engine: Any, lifespan: Any = None, **changes: Any) -> Iterator[httpx.Client]:
    chosen = settings(**changes)
    server = EndpointServer(create_app(engine, chosen, lifespan=lifespan, router=router), chosen)
    server.start()
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}", headers={"x-api-key": KEY}, timeout=20, trust_env=False
        ) as client:
            yield client
    finally:
        server.stop()


@contextmanager
def two_files(models: Models | None = None, wait_s: float | None = None, **changes: Any) -> Iterator[httpx.Client]:
    """An endpoint that has loaded FIRST, and loads SECOND when a request needs it."""
    if models is None:
        models = Models(threading.Event())
        models.may_load.set()
    opener, router = models, ModelRouter(aliases={"coder": "second"})

    def make() -> Engine:
        return Engine(opener)

    lifespan = offering(ServedModels(FILES), router, make, loading(FIRST, lambda error: None))
    if wait_s is not None:
        lifespan = impatient(router, make, wait_s)
    engine = make()
    try:
        with serving(router, engine, lifespan, **changes) as client:
            wait_until(lambda: engine.status.state == "ready")
            yield client
    finally:
        models.may_load.set()


def impatient(router: ModelRouter, make: Callable[[], Engine], wait_s: float) -> Any:
    inner = asynccontextmanager(loading(FIRST, lambda error: None))

    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with inner(app):
            pool = ModelPool(make)
            router.offer([FileSource(pool, SECOND, FILES[SECOND], wait_s=wait_s)])
            yield
            await pool.aclose()

    return lifespan


def chat(client: httpx.Client, model: str | None, **more: Any) -> httpx.Response:
    return client.post("/v1/chat/completions", json={**USER, "model": model, **more})


def said(answer: httpx.Response) -> tuple[str, str]:
    body = answer.json()
    return body["model"], body["choices"][0]["message"]["content"]


def states(client: httpx.Client) -> dict[str, str]:
    return {each["id"]: each["status"]["value"] for each in client.get("/v1/models").json()["data"]}


@pytest.fixture
def files() -> Iterator[httpx.Client]:
    with two_files() as client:
        yield client


def test_file_is_loaded_by_the_first_request_that_names_it() -> None:
    with two_files() as client:
        assert states(client) == {"first": "loaded", "second": "unloaded"}
        assert [each["name"] for each in client.get("/api/ps").json()["models"]] == ["first"]
        assert client.get("/props?model=second").json()["is_sleeping"] is True
        assert client.post("/api/show", json={"model": "second"}).status_code == 200
        assert states(client)["second"] == "unloaded", "descriptions load nothing"
        assert said(chat(client, "second")) == ("second", "I am second.")
        assert states(client) == {"first": "loaded", "second": "loaded"}
        assert said(chat(client, "first")) == ("first", "I am first.")
        assert client.get("/props?model=second").json()["model_alias"] == "second"
        assert "secret" not in client.get("/v1/models").text


@pytest.mark.parametrize("name", ["gpt-4o", None, "/secret/second.gguf"])
def test_unknown_names_are_answered_by_the_own_model(files: httpx.Client, name: str | None) -> None:
    assert said(chat(files, name)) == ("first", "I am first.")


def test_alias_reaches_the_model(files: httpx.Client) -> None:
    assert said(chat(files, "coder")) == ("second", "I am second.")


def test_every_dialect_routes_by_name(files: httpx.Client) -> None:
    name = {"model": "second"}
    whole = {**USER, **name, "max_tokens": 99}
    assert files.post("/v1/messages", json=whole).json()["content"][0]["text"] == "I am second."
    assert files.post("/api/chat", json={**USER, **name, "stream": False}).json()["message"]["content"] == (
        "I am second."
    )
    assert files.post("/api/generate", json={**name, "prompt": "a", "stream": False}).json()["response"]
    assert "I am second." in files.post("/v1/responses", json={**name, "input": "a"}).text
    assert files.post("/v1/completions", json={**name, "prompt": "a"}).json()["model"] == "second"
    assert files.post("/completion", json={**name, "prompt": "a"}).json()["content"] == "I am second."
    assert files.post("/v1/messages/count_tokens", json=whole).status_code == 200
    assert '"model":"second"' in chat(files, "second", stream=True).text


def test_activity_names_model_and_host(files: httpx.Client) -> None:
    chat(files, "second")
    newest = files.get("/v1/activity").json()["data"][0]
    assert (newest["model"], newest["host"]) == ("second", "")


def test_unknown_names_are_404_if_the_settings_say_so() -> None:
    with two_files(unknown_model="404") as client:
        assert chat(client, "gpt-4o").status_code == 404
        assert said(chat(client, "second"))[0] == "second"
        assert said(chat(client, None))[0] == "first"


def test_slow_load_is_503_with_retry_after_and_goes_on() -> None:
    models = Models(threading.Event())
    with two_files(models, wait_s=0.05) as client:
        answer = chat(client, "second")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert states(client)["second"] == "loading"
        assert said(chat(client, "first"))[0] == "first", "other models answer meanwhile"
        models.may_load.set()
        wait_until(lambda: states(client)["second"] == "loaded")
        assert said(chat(client, "second"))[0] == "second"


def test_file_that_cannot_be_loaded_is_an_error_and_listed_as_failed() -> None:
    models = Models(threading.Event(), ModelFileError(SECOND, "it is damaged"))
    models.may_load.set()
    with two_files(models) as client:
        answer = chat(client, "second")
        assert answer.status_code == 500
        assert answer.json()["error"]["message"] == "The model cannot be loaded: it is damaged."
        assert states(client)["second"] == "failed"
        models.error = None
        assert said(chat(client, "second"))[0] == "second"


def test_keep_alive_is_kept_per_model() -> None:
    with two_files() as client:
        body = {"model": "second", "prompt": "a", "stream": False, "keep_alive": 0}
        assert client.post("/api/generate", json=body).status_code == 200
        wait_until(lambda: states(client) == {"first": "loaded", "second": "unloaded"})
        client.post("/api/generate", json={**body, "keep_alive": 3600})
        until = {each["name"]: each["expires_at"] for each in client.get("/api/ps").json()["models"]}
        assert until["second"] < until["first"]


def test_models_of_connections_are_reached_by_id_and_by_id_at_connection_on_a_clash() -> None:
    own, same, other = remote("big", "own"), remote("big", "elsewhere"), remote("small")
    with serving(ModelRouter([source(same), source(other)]), own) as client:
        assert list(states(client)) == ["big", "big@box", "small"]
        assert said(chat(client, "big"))[1] == "own"
        assert said(chat(client, "big@box"))[1] == "elsewhere"
        assert said(chat(client, "small"))[1] == said(chat(client, "small@box"))[1] == "I am small."
        newest = client.get("/v1/activity").json()["data"][0]
        assert (newest["model"], newest["host"]) == ("small", "gpu-box.lan")
        tags = client.get("/api/tags").json()["models"]
        assert [each["remote_host"] for each in tags] == ["gpu-box.lan"] * 3


def test_first_connected_model_answers_if_the_endpoint_has_no_own() -> None:
    with serving(ModelRouter([source(remote("small"))]), Engine(FakeOpener())) as client:
        assert said(chat(client, "gpt-4o")) == ("small", "I am small.")
        assert said(chat(client, None))[0] == "small"
        assert client.get("/health").status_code == 200
        assert states(client) == {"small": "loaded"}


def test_what_a_connected_model_does_not_support_is_400() -> None:
    with serving(ModelRouter([source(remote("small"))]), remote("big", tools=True)) as client:
        tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
        assert chat(client, "big", tools=tools).status_code == 200
        assert chat(client, "small", tools=tools).status_code == 400
        assert client.post("/v1/embeddings", json={"model": "small", "input": "a"}).status_code == 400


def test_modalities_are_listed() -> None:
    with serving(ModelRouter([source(remote("seer", images=True))]), remote("big")) as client:
        modalities = {
            each["id"]: each["architecture"]["input_modalities"] for each in client.get("/v1/models").json()["data"]
        }
        assert modalities == {"big": ["text"], "seer": ["text", "image"]}
        assert client.get("/props?model=seer").json()["modalities"]["vision"] is True


def test_requests_for_one_file_share_one_load() -> None:
    loads: list[Path] = []

    def opener(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> FakeBackend:
        loads.append(path)
        return FakeOpener(Script(b"Yes."))(path, settings, on_progress)

    async def story() -> None:
        pool = ModelPool(lambda: Engine(opener))
        shared = FileSource(pool, SECOND, FILES[SECOND])

        async def use() -> None:
            async with shared.lease():
                pass

        await asyncio.gather(*(use() for _ in range(5)))
        await pool.aclose()

    asyncio.run(story())
    assert loads == [SECOND]
