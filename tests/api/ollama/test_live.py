"""Ollama's routes over HTTP, with the fake model."""

from __future__ import annotations

import json

from tests.api.live_endpoint import Live, ask, live, wait_until
from tests.fakes import FakeOpener, Script


def test_chat_streams_lines_by_default(endpoint: Live) -> None:
    response = endpoint.post(ask(model="any"), "/api/chat")
    assert response.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert "".join(line["message"]["content"] for line in lines) == "Hello there."
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    whole = endpoint.post(ask(stream=False), "/api/chat").json()
    assert whole["message"] == {"role": "assistant", "content": "Hello there."}
    assert whole["eval_count"] == lines[-1]["eval_count"] == 13


def test_generate_route_accepts_prompt_and_raw_prompt_and_suffix(endpoint: Live) -> None:
    body = {"model": "any", "stream": False}
    templated = endpoint.post({**body, "prompt": "Hi"}, "/api/generate").json()
    raw = endpoint.post({**body, "prompt": "Hi", "raw": True}, "/api/generate").json()
    gap = endpoint.post({**body, "prompt": "Hi", "suffix": "!"}, "/api/generate").json()
    assert templated["response"] == raw["response"] == "Hello there."
    assert templated["prompt_eval_count"] > raw["prompt_eval_count"] == 2
    assert gap["prompt_eval_count"] == len("<PRE>Hi<SUF>!<MID>")
    assert endpoint.post(body, "/api/generate").json()["done_reason"] == "load"
    assert endpoint.post({**body, "messages": []}, "/api/chat").json()["done_reason"] == "load"


def test_routes_tags_and_ps_and_show_describe_the_model(endpoint: Live) -> None:
    with endpoint.http() as client:
        tags = client.get("/api/tags").json()["models"]
        running = client.get("/api/ps").json()["models"]
        assert set(client.get("/api/version").json()) == {"version"}
    shown = endpoint.post({"model": "fake:latest"}, "/api/show").json()
    assert [model["model"] for model in tags] == [model["name"] for model in running] == ["fake"]
    assert "completion" in shown["capabilities"]
    assert shown["model_info"][shown["model_info"]["general.architecture"] + ".context_length"] == 4096
    assert "secret" not in json.dumps([tags, running, shown])


def test_errors_have_ollama_format(endpoint: Live) -> None:
    for stream in (False, True):
        long = endpoint.post(ask("x" * 9000, stream=stream), "/api/chat")
        assert long.status_code == 400
        assert list(long.json()) == ["error"]
    assert list(endpoint.post({"messages": 3}, "/api/chat").json()) == ["error"]
    assert endpoint.post({}, "/api/pull").status_code == 404


def test_unknown_model_is_404_if_settings_refuse_it() -> None:
    with live(unknown_model="404") as endpoint:
        assert endpoint.post(ask(model="fake:latest", stream=False), "/api/chat").status_code == 200
        refused = endpoint.post(ask(model="llama3"), "/api/chat")
    assert (refused.status_code, refused.json()) == (
        404,
        {"error": "The model 'llama3' was not found: it is not loaded."},
    )


def test_model_list_is_empty_while_model_loads() -> None:
    with live(FakeOpener(Script(b"Hi", load_s=1.0)), ready=False) as endpoint, endpoint.http() as client:
        assert client.get("/api/tags").json() == {"models": []}
        answer = endpoint.post(ask(), "/api/chat")
        assert (answer.status_code, list(answer.json())) == (503, ["error"])
        wait_until(lambda: endpoint.engine.status.state == "ready")


def test_disconnect_cancels_request() -> None:
    with live(FakeOpener(Script(step_s=0.005))) as endpoint, endpoint.http() as client:
        with client.stream("POST", "/api/chat", json=ask()) as answer:
            next(answer.iter_bytes())
        wait_until(lambda: endpoint.n_in_progress == 0, timeout_s=8)
