"""Every dialect works with an engine that supports less than the local one, and refuses what it does not support."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.server import EndpointServer
from engine.chat_engine import Capabilities
from engine.errors import AccessDenied, EngineError, ServerBusy, ServerFailed, ServerUnreachable
from tests.api.live_endpoint import KEY, settings
from tests.limited_engine import LimitedEngine, LimitedModel, LimitedStatus

USER: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


@contextmanager
def serving(engine: LimitedEngine) -> Iterator[httpx.Client]:
    chosen = settings()
    server = EndpointServer(create_app(engine, chosen), chosen)
    server.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers={"x-api-key": KEY}, timeout=20) as client:
            yield client
    finally:
        server.stop()


def message_of(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    return str(error if isinstance(error, str) else error["message"])


@pytest.fixture(scope="module")
def limited() -> Iterator[tuple[LimitedEngine, httpx.Client]]:
    engine = LimitedEngine()
    with serving(engine) as client:
        yield engine, client


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "body", "feature"),
    [
        ("/v1/chat/completions", {**USER, "logprobs": True, "top_logprobs": 2}, "log probabilities"),
        ("/v1/chat/completions", {**USER, "tools": [TOOL]}, "tools"),
        ("/v1/chat/completions", {**USER, "response_format": {"type": "json_object"}}, "answers in JSON"),
        ("/v1/chat/completions", {**USER, "logit_bias": {"5": 1}}, "logit bias"),
        ("/v1/chat/completions", {**USER, "lora": [{"id": 0, "scale": 1}]}, "LoRA adapters"),
        ("/v1/chat/completions", {**USER, "reasoning_effort": "high"}, "reasoning"),
        ("/v1/completions", {"prompt": "a"}, "completions without a chat template"),
        ("/v1/responses", {"input": "a", "tools": [{"type": "function", "name": "f", "parameters": {}}]}, "tools"),
        (
            "/v1/messages",
            {**USER, "max_tokens": 9, "tools": [{"name": "f", "input_schema": {"type": "object"}}]},
            "tools",
        ),
        ("/api/chat", {**USER, "format": SCHEMA}, "JSON schemas"),
        ("/api/chat", {**USER, "think": True}, "reasoning"),
        ("/completion", {"prompt": "a"}, "completions without a chat template"),
    ],
)
def test_unsupported_field_is_400_with_its_name_and_nothing_is_sent(
    limited: tuple[LimitedEngine, httpx.Client], path: str, body: dict[str, Any], feature: str, stream: bool
) -> None:
    engine, client = limited
    answer = client.post(path, json={**body, "stream": stream})
    assert answer.status_code == 400, answer.text
    assert message_of(answer) == f"The model's server does not support {feature}."
    assert not engine.submitted


@pytest.mark.parametrize("path", ["/v1/embeddings", "/api/embed"])
def test_embeddings_are_refused_if_the_engine_has_none(limited: tuple[LimitedEngine, httpx.Client], path: str) -> None:
    answer = limited[1].post(path, json={"input": "a", "model": "big"})
    assert answer.status_code == 400, answer.text
    assert message_of(answer) == "The model's server does not support embeddings."


def test_queries_about_tokens_are_refused_if_the_engine_has_none(limited: tuple[LimitedEngine, httpx.Client]) -> None:
    answer = limited[1].post("/tokenize", json={"content": "a"})
    assert answer.status_code == 400
    assert message_of(answer) == "The model's server does not support token ids."


def test_scales_of_adapters_are_refused_if_the_engine_has_none(limited: tuple[LimitedEngine, httpx.Client]) -> None:
    assert limited[1].get("/lora-adapters").json() == []
    answer = limited[1].post("/lora-adapters", json=[{"id": 0, "scale": 1}])
    assert answer.status_code == 400
    assert message_of(answer) == "The model's server does not support LoRA adapters."


def test_listings_state_what_is_known_of_a_model_elsewhere(limited: tuple[LimitedEngine, httpx.Client]) -> None:
    client = limited[1]
    model = client.get("/v1/models").json()["data"][0]
    assert (model["id"], model["owned_by"], model["meta"]) == ("big", "gpu-box.lan", {})
    props = client.get("/props").json()
    assert (props["model_alias"], props["chat_template"], props["devices"]) == ("big", "", [])
    assert len(client.get("/slots").json()) == 1
    tag = client.get("/api/tags").json()["models"][0]
    assert (tag["size"], tag["remote_host"]) == (0, "gpu-box.lan")
    assert client.get("/api/ps").json()["models"][0]["name"] == "big"
    assert client.post("/api/show", json={"model": "big"}).json()["capabilities"] == ["completion"]


def test_capabilities_are_listed_for_ollama() -> None:
    with serving(LimitedEngine(Capabilities(tools=True, images=True, reasoning=True))) as client:
        shown = client.post("/api/show", json={"model": "big"}).json()
        assert shown["capabilities"] == ["completion", "tools", "vision", "thinking"]


def test_supported_request_is_answered_in_every_dialect() -> None:
    engine = LimitedEngine()
    with serving(engine) as client:
        whole = client.post("/v1/chat/completions", json=USER).json()
        assert whole["choices"][0]["message"]["content"] == engine.answer
        assert engine.answer in client.post("/v1/chat/completions", json={**USER, "stream": True}).text
        assert client.post("/v1/messages", json={**USER, "max_tokens": 9}).json()["content"][0]["text"] == engine.answer
        assert client.post("/api/chat", json={**USER, "stream": False}).json()["message"]["content"] == engine.answer
        assert engine.answer in client.post("/v1/responses", json={"input": "Hi"}).text
    assert len(engine.submitted) == 5


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ServerUnreachable("gpu-box.lan", "connection refused"), 502),
        (AccessDenied("gpu-box.lan", "key sk-1 is wrong"), 502),
        (ServerBusy("gpu-box.lan", "loading", 7.0), 503),
        (ServerFailed("gpu-box.lan", "'n' is too large", 422), 422),
    ],
)
def test_error_of_the_other_server_has_its_status_in_every_dialect(error: EngineError, status: int) -> None:
    with serving(LimitedEngine(error=error)) as client:
        bodies: dict[str, dict[str, Any]] = {
            "/v1/chat/completions": USER,
            "/v1/responses": {"input": "a"},
            "/v1/messages": {**USER, "max_tokens": 9},
            "/api/chat": USER,
        }
        for path, body in bodies.items():
            for stream in (False, True):
                answer = client.post(path, json={**body, "stream": stream})
                assert answer.status_code == status, (path, answer.text)
                assert "gpu-box.lan" in message_of(answer)
                assert "sk-1" not in answer.text
                assert answer.headers.get("retry-after") == ("7" if status == 503 else None)


def test_unreachable_server_of_the_model_is_502() -> None:
    down = LimitedStatus("empty", None, error=ServerUnreachable("gpu-box.lan", "no route"))
    with serving(LimitedEngine(status=down)) as client:
        assert client.get("/v1/models").status_code == 502
        assert client.post("/v1/chat/completions", json=USER).status_code == 502


def test_model_whose_server_was_unreachable_is_asked_again() -> None:
    dead = LimitedStatus("dead", error=ServerUnreachable("gpu-box.lan", "no route"))
    with serving(LimitedEngine(status=dead)) as client:
        assert client.get("/v1/models").status_code == 200
        assert client.post("/v1/chat/completions", json=USER).status_code == 200


def test_known_context_length_is_listed() -> None:
    with serving(LimitedEngine(status=LimitedStatus(model=LimitedModel(n_ctx=32768)))) as client:
        assert client.get("/v1/models").json()["data"][0]["meta"] == {"n_ctx": 32768}
        assert client.get("/props").json()["default_generation_settings"]["n_ctx"] == 32768
