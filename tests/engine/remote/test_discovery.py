"""A test of a connection finds the kind of server and its models. The servers have the shapes in their documents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from engine.errors import AccessDenied, ServerFailed
from engine.remote.connection import Connection
from engine.remote.discovery import FoundServer, find_server
from tests.engine.remote.remote_models import client_to
from tests.engine.remote.scripted_server import Received, ScriptedServer, replies, response, scripted_server, sends


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as found:
        yield found


def found(address: str | Connection) -> FoundServer:
    async def main() -> FoundServer:
        async with client_to(address) as client:
            return await find_server(client)

    return asyncio.run(main())


def listing(*entries: object) -> object:
    return {"object": "list", "data": list(entries)}


def test_vllm_is_found_by_its_models(server: ScriptedServer) -> None:
    entry = {"id": "Qwen/Qwen3-8B", "object": "model", "created": 1, "owned_by": "vllm", "max_model_len": 40960}
    server.routes |= {"/v1/models": replies(listing(entry)), "/version": replies({"version": "0.12.0"})}
    result = found(server.address)
    (model,) = result.models
    assert (result.kind, result.version, result.api_path) == ("vllm", "0.12.0", "/v1")
    assert 0 < result.latency_s < 5
    assert (model.id, model.n_ctx, model.host) == ("Qwen/Qwen3-8B", 40960, "127.0.0.1")
    assert model.capabilities.word_alternatives


def test_sglang_is_found_by_its_models(server: ScriptedServer) -> None:
    entry = {"id": "m", "object": "model", "owned_by": "sglang", "max_model_len": 8192}
    info = {"model_path": "m", "is_generation": True, "has_image_understanding": True}
    server.routes |= {"/v1/models": replies(listing(entry)), "/get_model_info": replies(info)}
    result = found(server.address)
    (model,) = result.models
    assert (result.kind, model.n_ctx, model.capabilities.images) == ("sglang", 8192, True)
    assert not model.is_embedder


def test_ollama_tells_the_context_with_which_a_model_runs(server: ScriptedServer) -> None:
    def show(received: Received, connection: object) -> None:
        shown = {
            "llama3:8b": {"capabilities": ["completion", "tools"], "parameters": "stop x\nnum_ctx    8192\n"},
            "qwen3:4b": {"capabilities": ["completion", "tools", "thinking", "vision"], "parameters": ""},
            "embed": {"capabilities": ["embedding"]},
        }
        replies(shown[received.body["model"]])(received, connection)  # type: ignore[arg-type]

    names = ("llama3:8b", "qwen3:4b", "embed")
    server.routes |= {
        "/v1/models": replies(listing(*({"id": name, "owned_by": "library"} for name in names))),
        "/api/version": replies({"version": "0.34.2"}),
        "/api/ps": replies({"models": [{"model": "qwen3:4b", "context_length": 4096}]}),
        "/api/show": show,
    }
    result = found(server.address)
    models = {model.id: model for model in result.models}
    assert (result.kind, result.version) == ("ollama", "0.34.2")
    assert {name: model.n_ctx for name, model in models.items()} == {"llama3:8b": 8192, "qwen3:4b": 4096, "embed": 0}
    assert [models[name].capabilities.reasoning for name in names] == [False, True, False]
    assert [models[name].capabilities.images for name in names] == [False, True, False]
    assert [models[name].is_loaded for name in names] == [False, True, False]
    assert models["embed"].is_embedder
    assert models["embed"].capabilities.embeddings


def test_lm_studio_tells_types_and_states(server: ScriptedServer) -> None:
    entries = [
        {
            "id": "a",
            "type": "vlm",
            "state": "loaded",
            "max_context_length": 32768,
            "loaded_context_length": 4096,
            "capabilities": ["tool_use"],
        },
        {"id": "b", "type": "embeddings", "state": "not-loaded", "max_context_length": 512},
    ]
    owner = "organization_owner"
    server.routes |= {
        "/v1/models": replies(listing({"id": "a", "owned_by": owner}, {"id": "b", "owned_by": owner})),
        "/api/v0/models": replies(listing(*entries)),
    }
    first, second = found(server.address).models
    assert (first.kind, first.n_ctx, first.is_loaded) == ("lmstudio", 4096, True)
    assert (first.capabilities.images, first.capabilities.tools) == (True, True)
    assert (second.is_embedder, second.is_loaded, second.n_ctx) == (True, False, 0)


def test_router_of_llama_cpp_tells_states_and_is_not_asked_to_load(server: ScriptedServer) -> None:
    entries = [
        {"id": "a", "owned_by": "llamacpp", "status": {"value": "loaded"}, "architecture": {"input_modalities": []}},
        {
            "id": "b",
            "owned_by": "llamacpp",
            "status": {"value": "unloaded"},
            "architecture": {"input_modalities": ["text", "image"]},
        },
    ]
    server.routes |= {
        "/v1/models": replies(listing(*entries)),
        "/props": replies({"role": "router", "build_info": "b1-x", "default_generation_settings": {"n_ctx": 0}}),
    }
    result = found(server.address)
    assert (result.kind, result.version) == ("llama.cpp", "b1-x")
    assert [model.is_loaded for model in result.models] == [True, False]
    assert [model.capabilities.images for model in result.models] == [False, True]
    assert [each.path for each in server.received] == ["/v1/models", "/props"]


def test_unknown_server_is_an_openai_server(server: ScriptedServer) -> None:
    entries = [
        {"id": "big", "owned_by": "x", "context_length": 200000, "supported_parameters": ["tools", "reasoning"]},
        {"id": "text-embedding-3", "owned_by": "x"},
        {"id": "x" * 600},
        {"id": "a\x1b[31m"},
        {"id": 7},
        "text",
    ]
    server.routes["/v1/models"] = replies(listing(*entries))
    result = found(server.address)
    assert (result.kind, [model.id for model in result.models]) == ("openai", ["big", "text-embedding-3"])
    big, embedder = result.models
    assert (big.n_ctx, big.capabilities.tools, big.capabilities.reasoning) == (200000, True, True)
    assert embedder.is_embedder


def test_address_that_is_the_base_of_the_api_is_found(server: ScriptedServer) -> None:
    server.routes["/beta/openai/models"] = replies(listing({"id": "m"}))
    result = found(f"{server.address}/beta/openai")
    assert (result.api_path, [model.id for model in result.models]) == ("", ["m"])


def test_given_kind_is_not_questioned(server: ScriptedServer) -> None:
    server.routes["/v1/models"] = replies(listing({"id": "m", "owned_by": "x"}))
    assert found(Connection.to(server.address, kind="vllm")).kind == "vllm"


@pytest.mark.parametrize("body", [{}, {"data": {}}, {"models": []}, []])
def test_server_without_models_list_is_an_error(server: ScriptedServer, body: object) -> None:
    server.routes["/v1/models"] = replies(body)
    with pytest.raises(ServerFailed):
        found(server.address)


def test_wrong_key_is_an_error(server: ScriptedServer) -> None:
    server.routes["/v1/models"] = replies({"error": {"message": "Invalid API key"}}, 401)
    with pytest.raises(AccessDenied):
        found(server.address)


def test_list_that_is_too_large_is_an_error(server: ScriptedServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
    server.routes["/v1/models"] = sends(head + b" " * (65 << 20))
    with pytest.raises(ServerFailed, match="too large"):
        found(server.address)


def test_detail_routes_that_are_no_json_do_not_matter(server: ScriptedServer) -> None:
    server.routes["/v1/models"] = replies(listing({"id": "m", "owned_by": "me"}))
    page = sends(response(b"<html></html>", 200, "text/html"))
    server.routes |= dict.fromkeys(("/props", "/api/version", "/api/v0/models", "/get_model_info"), page)
    assert found(server.address).kind == "openai"
