"""Chat completions over HTTP, with the real engine and the fake backend."""

from __future__ import annotations

import json
import re
from typing import Any

import openai
import pytest

from tests.api.live_endpoint import Live, ask, live, read_all, wait_until
from tests.fakes import FakeOpener, Script


def normal(text: str) -> str:
    """Returns the text with ids, times and timings replaced by constants."""
    text = re.sub(r'"id":"chatcmpl-[0-9a-f]{32}"', '"id":"chatcmpl-1"', text)
    text = re.sub(r'"created":\d+', '"created":1', text)
    return re.sub(r'"(\w+_ms|\w+_per_second)":[\d.]+', r'"\1":0.0', text)


def stream_text(endpoint: Live, **fields: object) -> str:
    response = endpoint.post({**ask(stream=True), **fields})
    assert response.status_code == 200
    return response.text


def text_of(wire: str) -> str:
    frames = [json.loads(line[6:]) for line in wire.splitlines() if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for frame in frames for choice in frame["choices"])


def test_streamed_answer_has_expected_bytes_and_headers() -> None:
    with live(FakeOpener(Script(b"A"))) as endpoint:
        response = endpoint.post(ask(stream=True, stream_options={"include_usage": True}))
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"
    head = '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"fake","choices":'
    n_prompt = len("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n")
    assert normal(response.text) == (
        f'data: {head}[{{"index":0,"delta":{{"role":"assistant","content":null}},"finish_reason":null}}]}}\n\n'
        f'data: {head}[{{"index":0,"delta":{{"content":"A"}},"finish_reason":null}}]}}\n\n'
        f'data: {head}[{{"index":0,"delta":{{}},"finish_reason":"stop"}}]}}\n\n'
        f'data: {head}[],"usage":{{"prompt_tokens":{n_prompt},"completion_tokens":2,"total_tokens":{n_prompt + 2},'
        f'"prompt_tokens_details":{{"cached_tokens":0}}}},"timings":{{"cache_n":0,"prompt_n":{n_prompt},'
        '"prompt_ms":0.0,"prompt_per_token_ms":0.0,"prompt_per_second":0.0,"predicted_n":2,"predicted_ms":0.0,'
        '"predicted_per_token_ms":0.0,"predicted_per_second":0.0}}\n\n'
        "data: [DONE]\n\n"
    )


def test_whole_and_streamed_answers_are_equal(endpoint: Live) -> None:
    endpoint.script.answer = "Grüße 🙂, and a line\u2028end".encode()
    for stop in ([], [","], ["🙂"], ["none of it"]):
        whole = endpoint.post(ask(stop=stop)).json()["choices"][0]
        assert text_of(stream_text(endpoint, stop=stop)) == whole["message"]["content"]
        assert whole["finish_reason"] == "stop"


def test_token_limit_sets_finish_reason_length(endpoint: Live) -> None:
    choice = endpoint.post(ask(max_tokens=3)).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == "Hel"
    assert '"finish_reason":"length"' in stream_text(endpoint, max_completion_tokens=3)


def test_usage_for_repeated_prompt_contains_cached_tokens(endpoint: Live) -> None:
    endpoint.post(ask("Read me twice."))
    again = endpoint.post(ask("Read me twice.")).json()
    n_cached = again["usage"]["prompt_tokens_details"]["cached_tokens"]
    assert 0 < n_cached < again["usage"]["prompt_tokens"]
    assert again["timings"]["cache_n"] == n_cached
    assert again["timings"]["prompt_n"] == again["usage"]["prompt_tokens"] - n_cached


def test_stream_without_include_usage_has_no_usage(endpoint: Live) -> None:
    assert '"usage"' not in stream_text(endpoint)


def test_openai_client_reads_whole_answer(endpoint: Live) -> None:
    with endpoint.openai() as client:
        answer = client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "developer", "content": "Be kind."}], seed=-9007199254740991
        )
    assert answer.choices[0].message.content == "Hello there."
    assert answer.model == "fake"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 13  # the count includes the end-of-generation token


def test_openai_client_reads_streamed_answer(endpoint: Live) -> None:
    with endpoint.openai() as client:
        stream = client.chat.completions.create(
            model="any",
            messages=[{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    assert len({chunk.id for chunk in chunks}) == 1
    assert next(chunk.choices[0].delta.role for chunk in chunks if chunk.choices) == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello there."
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None


def test_openai_client_lists_models(endpoint: Live) -> None:
    with endpoint.openai() as client:
        assert [model.id for model in client.models.list()] == ["fake"]
        assert client.models.retrieve("fake").owned_by == "inglenook"
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve("gpt-4o")
    assert caught.value.code == "model_not_found"


def test_answer_contains_every_requested_choice(endpoint: Live) -> None:
    with endpoint.openai() as client:
        body: Any = {"model": "x", "messages": [{"role": "user", "content": "Hi"}], "n": 3, "logprobs": True}
        answer = client.chat.completions.create(**body)
        chunks = list(client.chat.completions.create(**body, stream=True, stream_options={"include_usage": True}))
    assert [choice.message.content for choice in answer.choices] == ["Hello there."] * 3
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 39
    assert answer.usage.prompt_tokens == len("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    text_of: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            text_of[choice.index] = text_of.get(choice.index, "") + (choice.delta.content or "")
    assert text_of == dict.fromkeys(range(3), "Hello there.")
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == answer.usage.total_tokens
    assert endpoint.n_in_progress == 0


def test_logprobs_are_returned_for_each_token(endpoint: Live) -> None:
    choice = endpoint.post(ask(logprobs=True, top_logprobs=2)).json()["choices"][0]
    scored = choice["logprobs"]["content"]
    assert "".join(each["token"] for each in scored) == choice["message"]["content"]
    assert all(len(each["top_logprobs"]) == 2 and each["logprob"] < 0 for each in scored)


def test_chat_and_model_routes_exist_without_v1(endpoint: Live) -> None:
    assert endpoint.post(ask(), "/chat/completions").status_code == 200
    with endpoint.http() as client:
        assert client.get("/models").json() == client.get("/v1/models").json()


def test_anthropic_version_header_selects_anthropic_model_list(endpoint: Live) -> None:
    with endpoint.http(**{"anthropic-version": "2023-06-01"}) as client:
        assert client.get("/v1/models").json()["first_id"] == "fake"
        assert client.get("/v1/models/fake").json()["type"] == "model"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("n", [1, 3])
def test_overlong_prompt_is_400_with_prompt_and_context_token_counts(endpoint: Live, stream: bool, n: int) -> None:
    with endpoint.openai() as client, pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="fake", messages=[{"role": "user", "content": "x" * 5000}], stream=stream, n=n
        )
    assert caught.value.code == "context_length_exceeded"
    assert "This model's maximum context length is 4096 tokens" in caught.value.message
    error = caught.value.response.json()["error"]
    assert error["n_ctx"] == 4096
    assert error["n_prompt_tokens"] > 5000


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"", None),
        (b"[" * 100_000, None),
        (b'{"messages":[{"role":"user","content":"\xff"}]}', None),
        (b"[]", None),
        (b'"text"', None),
        (b"{}", "messages"),
        (b'{"messages":[]}', "messages"),
        (b'{"messages":[{"content":"a"}]}', "messages[0].role"),
        (b'{"messages":[{"role":"user","content":"a"}],"temperature":NaN}', "temperature"),
        (b'{"messages":[{"role":"user","content":"a"}],"stop":[1]}', "stop[0]"),
        (b'{"messages":[{"role":"user","content":"a"}],"n":0}', "n"),
        (
            b'{"messages":[{"role":"user","content":"a"}],"stream_options":{"include_usage":1}}',
            "stream_options.include_usage",
        ),
    ],
)
def test_invalid_body_is_400(endpoint: Live, body: bytes, param: str | None) -> None:
    with endpoint.http() as client:
        response = client.post("/v1/chat/completions", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"


def test_unknown_path_is_404_and_wrong_method_is_405(endpoint: Live) -> None:
    with endpoint.http() as client:
        missing = client.get("/v1/nothing")
        wrong = client.get("/v1/chat/completions")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_url")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


def test_unknown_model_is_404_if_settings_refuse_it() -> None:
    with live(unknown_model="404") as endpoint:
        assert endpoint.post(ask(model="fake")).status_code == 200
        assert endpoint.post(ask()).status_code == 200
        refused = endpoint.post(ask(model="gpt-4o"))
    assert refused.status_code == 404
    assert refused.json()["error"]["code"] == "model_not_found"


def test_request_is_503_while_model_loads() -> None:
    with live(FakeOpener(Script(b"Hi", load_s=1.0)), ready=False) as endpoint:
        with endpoint.http() as client:
            health = client.get("/health")
            models = client.get("/v1/models")
        answer = endpoint.post(ask())
        assert health.status_code == models.status_code == answer.status_code == 503
        assert health.json() == {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}
        assert answer.json()["error"]["code"] == "model_not_loaded"
        assert answer.headers["retry-after"] == "2"
        wait_until(lambda: endpoint.engine.status.state == "ready")
        with endpoint.http() as client:
            assert client.get("/health").json() == {"status": "ok"}


def test_engine_failure_during_stream_ends_it_with_error_event() -> None:
    with live(FakeOpener(Script(step_s=0.01, fail_after=20))) as endpoint:
        with endpoint.openai() as client, pytest.raises(openai.APIError) as caught:
            list(client.chat.completions.create(model="x", messages=[{"role": "user", "content": "a"}], stream=True))
        assert caught.value.code == "engine_dead"
        after = endpoint.post(ask(stream=True))
        assert after.status_code == 503
        assert after.json()["error"]["code"] == "engine_dead"


def test_engine_failure_before_first_token_is_503() -> None:
    with live(FakeOpener(Script(fail_after=0))) as endpoint:
        assert endpoint.post(ask(stream=True)).status_code == 503


def test_stopped_stream_ends_with_request_stopped_error(endpoint: Live) -> None:
    endpoint.script.answer, endpoint.script.step_s = None, 0.01
    with endpoint.socket() as connection:
        connection.sendall(endpoint.raw_chat(ask(stream=True), "Connection: close\r\n"))
        connection.recv(1000)
        assert endpoint.n_in_progress == 1
        endpoint.app.state.activity.cancel_all()
        assert b'"code":"request_stopped"' in read_all(connection)


def test_stream_sends_comments_while_no_token_is_ready() -> None:
    with live(FakeOpener(Script(b"ab", step_s=0.35)), ping_interval_s=0.1) as endpoint:
        wire = stream_text(endpoint)
        assert "\n\n:\n\n" in wire
        assert not [line for line in wire.split("\n") if line and not line.startswith("data: ") and line != ":"]
        assert text_of(wire) == "ab"
        with endpoint.openai() as client:
            stream = client.chat.completions.create(model="x", messages=[{"role": "user", "content": "a"}], stream=True)
            assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "ab"
