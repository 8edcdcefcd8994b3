"""The endpoint with the real model: behaviour that the fake model cannot show."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import llama_cpp
import pytest
from openai import OpenAI

from api.__main__ import loading
from api.app import create_app
from api.server import EndpointServer
from engine.engine import Engine
from tests.api.live_endpoint import KEY, settings, wait_until


@dataclass
class Served:
    url: str
    root: str

    def openai(self) -> OpenAI:
        return OpenAI(base_url=self.url, api_key=KEY, max_retries=0, timeout=60)

    def post(self, path: str, body: object) -> Any:
        answer = httpx.post(self.root + path, json=body, headers={"x-api-key": KEY}, trust_env=False, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def served(model_path: Path) -> Iterator[Served]:
    engine, failures, chosen = Engine(), list[Exception](), settings()
    server = EndpointServer(create_app(engine, chosen, lifespan=loading(model_path, failures.append)), chosen)
    server.start()
    try:
        wait_until(lambda: engine.status.state == "ready" or bool(failures), timeout_s=60)
        assert not failures
        yield Served(server.url, f"http://127.0.0.1:{server.port}")
    finally:
        server.stop()


MESSAGES: list[Any] = [{"role": "user", "content": "Name a colour."}]


def test_several_choices_differ_and_their_common_prompt_is_counted_once(served: Served) -> None:
    def choice_texts() -> list[str | None]:
        with served.openai() as client:
            body: Any = {"model": "x", "messages": MESSAGES, "max_tokens": 12, "temperature": 1.5, "seed": 11}
            one = client.chat.completions.create(**body)
            three = client.chat.completions.create(**body, n=3)
        assert three.usage is not None
        assert one.usage is not None
        assert three.usage.prompt_tokens == one.usage.prompt_tokens
        return [choice.message.content for choice in three.choices]

    texts = choice_texts()
    assert len(set(texts)) > 1


def test_json_schema_is_enforced_by_openai_and_ollama_routes(served: Served) -> None:
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "blue"]}},
        "required": ["colour"],
        "additionalProperties": False,
    }
    described = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": schema}}
    chat = served.post("/v1/chat/completions", {"messages": MESSAGES, "response_format": described, "max_tokens": 40})
    ollama = served.post("/api/chat", {"messages": MESSAGES, "format": schema, "stream": False})
    responses = served.post(
        "/v1/responses", {"input": "A colour?", "text": {"format": {"type": "json_schema", "schema": schema}}}
    )
    for text in (
        chat["choices"][0]["message"]["content"],
        ollama["message"]["content"],
        responses["output"][0]["content"][0]["text"],
    ):
        assert json.loads(text)["colour"] in ("red", "blue")


def test_answers_of_openai_and_anthropic_routes_contain_a_required_tool_call(served: Served) -> None:
    function = {
        "name": "paint",
        "parameters": {"type": "object", "properties": {"colour": {"enum": ["red"]}}, "required": ["colour"]},
    }
    body = {
        "messages": MESSAGES,
        "tools": [{"type": "function", "function": function}],
        "max_tokens": 60,
        "parallel_tool_calls": False,
    }
    choice = served.post("/v1/chat/completions", {**body, "tool_choice": "required"})["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"]) == {"colour": "red"}
    block = served.post(
        "/v1/messages",
        {
            "max_tokens": 60,
            "messages": MESSAGES,
            "tools": [{"name": "paint", "input_schema": function["parameters"]}],
            "tool_choice": {"type": "tool", "name": "paint"},
        },
    )["content"][-1]
    assert (block["name"], block["input"]) == ("paint", {"colour": "red"})


def test_prompt_log_probabilities_rank_endings_like_lm_eval(served: Served) -> None:
    """Two requests like those of lm-eval score a likely and an unlikely ending of the same text. The likely one must
    score higher.

    The prompt is a list of tokens, its log probabilities are returned (echo), and one more token is generated."""

    def score(ending: str) -> float:
        context = served.post("/tokenize", {"content": "The capital of France is"})["tokens"]
        whole = context + served.post("/tokenize", {"content": ending})["tokens"]
        body = {"prompt": [whole], "echo": True, "logprobs": 1, "max_tokens": 1, "temperature": 0}
        response = served.post("/v1/completions", body)["choices"][0]
        scores = response["logprobs"]["token_logprobs"]
        assert len(scores) == len(whole) + 1
        assert scores[0] is None
        assert response["text"].startswith("The capital of France is" + ending)
        return float(sum(scores[len(context) : -1]))

    assert score(" Paris") > score(" porridge")


def test_detokenize_returns_the_text_that_was_tokenized(served: Served) -> None:
    text = "Grüße 🙂, and 你好"
    response = served.post("/tokenize", {"content": text, "with_pieces": True})["tokens"]
    assert served.post("/detokenize", {"tokens": [each["id"] for each in response]}) == {"content": text}
    assert any(isinstance(each["piece"], list) for each in response)


def test_unsupported_constraint_is_refused_and_the_next_request_is_answered(served: Served) -> None:
    async def refused() -> None:
        async with httpx.AsyncClient(trust_env=False, headers={"x-api-key": KEY}, timeout=60) as client:
            for fields in (
                {"grammar": "root ::= this is (not valid"},
                {"json_schema": {"$ref": "http://127.0.0.1:1/schema"}},
                {"grammar": "root ::= " + "(" * 60_000 + ")" * 60_000},
            ):
                answer = await client.post(
                    served.root + "/v1/chat/completions", json={"messages": MESSAGES, "stream": True, **fields}
                )
                assert answer.status_code == 400, fields
                assert answer.json()["error"]["type"] == "invalid_request_error"

    asyncio.run(refused())
    answer = served.post("/v1/chat/completions", {"messages": MESSAGES, "max_tokens": 4})
    assert answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize(("n_letters", "statuses"), [(20, {200}), (200, {200, 400})])
def test_slow_grammar_does_not_delay_other_requests(served: Served, n_letters: int, statuses: set[int]) -> None:
    """The grammar has many optional characters. Trying all combinations of them would take exponential time."""
    slow = {"messages": MESSAGES, "grammar": "root ::= " + '"x"? ' * n_letters, "max_tokens": 100}

    def ask() -> httpx.Response:
        headers = {"x-api-key": KEY}
        return httpx.post(f"{served.url}/chat/completions", json=slow, headers=headers, trust_env=False, timeout=60)

    with ThreadPoolExecutor() as pool:
        slow_request = pool.submit(ask)
        began = time.monotonic()
        assert served.post("/v1/chat/completions", {"messages": MESSAGES, "max_tokens": 4})["choices"]
        assert time.monotonic() - began < 20
        answer = slow_request.result()
    assert answer.status_code in statuses, answer.text
    if answer.status_code == 200:
        assert set(answer.json()["choices"][0]["message"]["content"]) <= {"x"}


def test_llama_cpp_is_built_without_rpc_backend() -> None:
    """llama.cpp's RPC backend would execute commands of any client that connects to it."""
    files = [
        each.name for each in Path(llama_cpp.__file__).parent.rglob("*") if each.suffix in (".so", ".dll", ".dylib")
    ]
    assert any("llama" in name for name in files)
    assert not [name for name in files if "rpc" in name]
