"""A remote engine on real servers with the default model: llama.cpp's server, another Inglenook, llama_cpp.server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.errors import AccessDenied, ContextOverflow, Unsupported
from engine.events import Failed, Finished, PromptProgress, Started, TextDelta, ToolCallDelta, ToolCallStarted
from engine.requests import ChatRequest, CompletionRequest, Constraint, Message, Sampling, Tool
from tests.api.endpoint_process import served
from tests.api.live_endpoint import KEY
from tests.bench.http_servers import llama_cpp_server, llama_server, no_llama_cpp_server, no_llama_server
from tests.conftest import chat
from tests.engine.remote.remote_models import events_of, found_engine

N_CTX = 1024
Peer = tuple[str, str]
"""The address and the key of a server."""


@pytest.fixture(scope="module")
def llama_cpp(model_path: Path) -> Iterator[Peer]:
    if why := no_llama_server():
        pytest.skip(why)
    with llama_server(2, N_CTX, ("-t", "1")) as port:
        yield f"http://127.0.0.1:{port}", ""


@pytest.fixture(scope="module")
def inglenook() -> Iterator[Peer]:
    with served() as process:
        yield process.root, KEY


@pytest.fixture(params=["llama_cpp", "inglenook"])
def peer(request: pytest.FixtureRequest) -> Peer:
    found: Peer = request.getfixturevalue(request.param)
    return found


def directly(peer: Peer, request: ChatRequest) -> Any:
    """The answer to a plain request that does not use our client."""
    address, key = peer
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    body = {"messages": messages, "temperature": 0, "max_tokens": request.max_tokens}
    url = f"{address}/v1/chat/completions"
    with httpx.Client(trust_env=False, timeout=60, headers={"x-api-key": key}) as client:
        return client.post(url, json=body).raise_for_status().json()


def test_answer_and_usage_are_those_of_the_server(peer: Peer) -> None:
    async def main() -> None:
        async with found_engine(*peer) as (engine, _):
            request = chat("What is the capital of France?", max_tokens=12)
            text, last = await engine.submit(request).collect()
            direct = await asyncio.to_thread(directly, peer, request)
            assert text == direct["choices"][0]["message"]["content"]
            assert last.usage.n_prompt == direct["usage"]["prompt_tokens"]
            assert last.usage.n_output == direct["usage"]["completion_tokens"]
            assert await engine.queries.count_tokens(request) == last.usage.n_prompt

    asyncio.run(main())


def test_server_and_model_are_recognised(peer: Peer) -> None:
    async def main() -> None:
        async with found_engine(*peer) as (engine, found):
            model = engine.status.model
            assert found.kind == ("inglenook" if peer[1] else "llama.cpp")
            assert (model.host, model.is_loaded) == ("127.0.0.1", True)
            assert model.n_ctx == N_CTX if found.kind == "llama.cpp" else model.n_ctx > N_CTX
            assert engine.capabilities.embeddings is (found.kind == "inglenook")
            assert (await engine.queries.props()).chat_template

    asyncio.run(main())


def test_word_alternatives_are_those_of_a_begun_answer(peer: Peer) -> None:
    async def main() -> None:
        async with found_engine(*peer) as (engine, _):
            request = replace(chat("Count to ten.", max_tokens=6), answer_start="One, two,", n_logprobs=3)
            deltas = [each for each in await events_of(engine, request) if isinstance(each, TextDelta)]
            text = "".join(each.text for each in deltas)
            choices = [choice for each in deltas for choice in each.choices]
            assert not text.startswith("One")
            assert b"".join(choice.token for choice in choices).decode() == text
            assert all(len(choice.others) == 3 and choice.logprob <= 0 for choice in choices)

    asyncio.run(main())


def test_constraints_are_enforced(peer: Peer) -> None:
    schema = {"type": "object", "properties": {"n": {"enum": [7]}}, "required": ["n"], "additionalProperties": False}

    async def main() -> None:
        async with found_engine(*peer) as (engine, _):
            request = replace(chat("Hi", max_tokens=24), constraint=Constraint("json_schema", json.dumps(schema)))
            assert json.loads((await engine.submit(request).collect())[0]) == {"n": 7}
            request = replace(chat("Hi", max_tokens=24), constraint=Constraint("choice", '["ye\\ns", "no"]'))
            assert (await engine.submit(request).collect())[0] in ("ye\ns", "no")

    asyncio.run(main())


def test_required_tool_is_called(inglenook: Peer) -> None:
    tool = Tool("add", "Adds", '{"type": "object", "properties": {"x": {"enum": [5]}}, "required": ["x"]}')

    async def main() -> None:
        async with found_engine(*inglenook) as (engine, _):
            request = replace(chat("Add 5.", max_tokens=200), tools=(tool,), tool_choice="required")
            events = await events_of(engine, request)
            started = [each for each in events if isinstance(each, ToolCallStarted)]
            assert (started[0].index, started[0].name) == (0, "add")
            parts = [each.arguments for each in events if isinstance(each, ToolCallDelta) and each.index == 0]
            assert json.loads("".join(parts)) == {"x": 5}
            assert isinstance(events[-1], Finished)
            assert events[-1].reason == "tool_calls"

    asyncio.run(main())


def test_model_without_tools_is_recognised(llama_cpp: Peer) -> None:
    async def main() -> None:
        async with found_engine(*llama_cpp) as (engine, _):
            assert not engine.capabilities.tools  # the template of the default model has none
            (last,) = await events_of(engine, replace(chat(), tools=(Tool("f"),)))
            assert isinstance(last, Failed)
            assert isinstance(last.error, Unsupported)

    asyncio.run(main())


def test_completion_continues_the_text(peer: Peer) -> None:
    async def main() -> None:
        async with found_engine(*peer) as (engine, _):
            greedy = Sampling(temperature=0)
            request = CompletionRequest("One, two, three,", "endpoint", greedy, max_tokens=4, n_logprobs=2)
            events = await events_of(engine, request)
            deltas = [each for each in events if isinstance(each, TextDelta)]
            assert all(choice.others for each in deltas for choice in each.choices)
            assert sum(len(each.choices) for each in deltas) == 4

    asyncio.run(main())


def test_prompt_that_is_too_long_is_reported_with_both_lengths(peer: Peer) -> None:
    async def main() -> None:
        async with found_engine(*peer) as (engine, _):
            n_ctx = engine.status.model.n_ctx
            last = (await events_of(engine, chat("word " * 2 * n_ctx, max_tokens=1)))[-1]
            assert isinstance(last, Failed)
            assert isinstance(last.error, ContextOverflow)
            assert last.error.n_prompt > 2 * n_ctx
            assert last.error.n_ctx == n_ctx

    asyncio.run(main())


def test_progress_of_the_prompt_is_reported(peer: Peer) -> None:
    async def main() -> None:
        async with found_engine(*peer) as (engine, _):
            request = replace(chat("A list: " + "item " * 40, max_tokens=1), wants_progress=True)
            events = await events_of(engine, request)
            assert isinstance(events[0], PromptProgress)
            (started,) = [each for each in events if isinstance(each, Started)]
            assert started.n_prompt > 40

    asyncio.run(main())


def test_chat_that_is_too_long_for_the_context_is_fitted(peer: Peer) -> None:
    async def main() -> None:
        async with found_engine(*peer) as (engine, _):
            n_ctx = engine.status.model.n_ctx
            turns = [Message("user", "word " * (n_ctx // 15)), Message("assistant", "Yes."), Message("user", "And?")]
            short = await engine.queries.fit(turns[-1:])
            assert (short.left_out, short.fits) == ((), True)
            fit = await engine.queries.fit(turns[:2] * 18 + turns[-1:])
            assert fit.n_prompt > n_ctx >= fit.n_kept
            assert fit.left_out[:2] == (0, 1)
            assert fit.fits

    asyncio.run(main())


def test_cancelled_request_ends_on_the_server(llama_cpp: Peer) -> None:
    async def main() -> None:
        async with found_engine(*llama_cpp) as (engine, _):
            endless = replace(chat(max_tokens=900), sampling=Sampling(temperature=0, ignore_eos=True))
            stream = engine.submit(endless)
            async for each in stream:
                if isinstance(each, TextDelta):
                    stream.cancel()
            assert isinstance(each, Finished)
            assert each.reason == "cancelled"
            await asyncio.to_thread(_wait_until_idle, llama_cpp[0])

    asyncio.run(main())


def _wait_until_idle(address: str) -> None:
    with httpx.Client(trust_env=False, timeout=20) as client:
        for _ in range(500):
            if not any(slot["is_processing"] for slot in client.get(f"{address}/slots").json()):
                return
    raise AssertionError("the server still computes")


def test_wrong_key_is_refused_by_another_inglenook(inglenook: Peer) -> None:
    async def main() -> None:
        with pytest.raises(AccessDenied):
            async with found_engine(inglenook[0], "wrong"):
                pass

    asyncio.run(main())


def test_llama_cpp_server_answers_as_an_openai_server() -> None:
    if why := no_llama_cpp_server():
        pytest.skip(why)
    with llama_cpp_server(n_threads=1) as port:

        async def main() -> None:
            async with found_engine(f"127.0.0.1:{port}") as (engine, found):
                assert found.kind == "openai"
                request = chat("What is the capital of France?", max_tokens=2)
                text, last = await engine.submit(request).collect()
                assert text
                assert last.usage.n_output > 0

        asyncio.run(main())
