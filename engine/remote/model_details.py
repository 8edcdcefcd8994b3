"""Asks a server for more about its models than the list tells, with the routes of its kind."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace

from engine.errors import AccessDenied, ServerFailed
from engine.remote.client import ConnectionClient
from engine.remote.connection import ServerKind
from engine.remote.listed_models import ListedModel
from engine.remote.untrusted_json import JsonObject, count_in, list_in, object_in, objects_in, text_in

TIMEOUT_S = 10.0
MAX_DETAILED = 100
"""Models of an Ollama server about which more is asked, each with a request of its own."""

N_AT_ONCE = 8

_REASONING_MARKS = ("enable_thinking", "reasoning_effort", "<think>", "thinking")
"""Texts in chat templates of models that reason."""

_NUM_CTX = re.compile(r"^num_ctx\s+(\d{1,9})\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DetailedModels:
    models: list[ListedModel]
    version: str = ""


async def refined_models(client: ConnectionClient, kind: ServerKind, listed: list[ListedModel]) -> DetailedModels:
    """Remote thread only. Raises ServerUnreachable, ServerBusy."""
    match kind:
        case "llama.cpp" | "inglenook":
            return await _llama_cpp(client, kind, listed)
        case "ollama":
            return await _ollama(client, listed)
        case "lmstudio":
            return DetailedModels(_lm_studio(await optional(client, "/api/v0/models"), listed))
        case "vllm":
            return DetailedModels(listed, text_in(await optional(client, "/version"), "version"))
        case "sglang":
            info = await optional(client, "/get_model_info")
            has_images = info.get("has_image_understanding") is True
            is_embedder = info.get("is_generation") is False
            models = [replace(each, images=has_images, is_embedder=is_embedder) for each in listed]
            return DetailedModels(models if info else listed)
    return DetailedModels(listed)


async def optional(client: ConnectionClient, path: str) -> JsonObject:
    """The JSON object at `path`; an empty one if the server has none."""
    try:
        return await client.get(path, timeout_s=TIMEOUT_S)
    except (ServerFailed, AccessDenied):
        return {}


async def _llama_cpp(client: ConnectionClient, kind: ServerKind, listed: list[ListedModel]) -> DetailedModels:
    """Only a server with one model describes it: one with several would load the model to do so."""
    props = await optional(client, "/props")
    version = text_in(props, "build_info")
    if text_in(props, "role") == "router" or not props:
        return DetailedModels(listed, version)
    embeddings = kind == "inglenook" or await _computes_embeddings(client)
    template, caps = text_in(props, "chat_template"), object_in(props, "chat_template_caps")
    n_ctx = count_in(object_in(props, "default_generation_settings"), "n_ctx")
    tools = caps.get("supports_tools")
    models = [
        each
        if each.is_embedder and kind == "inglenook"
        else replace(
            each,
            n_ctx=each.n_ctx or n_ctx,
            images=object_in(props, "modalities").get("vision") is True,
            tools=tools if isinstance(tools, bool) else None,
            reasoning=any(mark in template for mark in _REASONING_MARKS),
            embeddings=embeddings,
            is_embedder=False,
            is_loaded=True,
        )
        for each in listed
    ]
    return DetailedModels(models, version)


async def _computes_embeddings(client: ConnectionClient) -> bool:
    """Whether a llama-server was started with embeddings. Otherwise it refuses every request for them with 501."""
    try:
        await client.post(client.api("/embeddings"), {}, timeout_s=TIMEOUT_S)
    except ServerFailed as error:
        return error.status == 400
    return False


async def _ollama(client: ConnectionClient, listed: list[ListedModel]) -> DetailedModels:
    """The context length of a model is that with which it is loaded, or the one in its parameters. The length for which
    it was trained says nothing, because Ollama shortens the context without an error."""
    version, running = await asyncio.gather(optional(client, "/api/version"), optional(client, "/api/ps"))
    loaded = {text_in(each, "model"): count_in(each, "context_length") for each in objects_in(running, "models")}
    limit = asyncio.Semaphore(N_AT_ONCE)

    async def refine(model: ListedModel) -> ListedModel:
        async with limit:
            shown = await _show(client, model.id)
        given = _NUM_CTX.search(text_in(shown, "parameters"))
        told = list_in(shown, "capabilities")
        return replace(
            model,
            n_ctx=loaded.get(model.id) or (int(given[1]) if given else 0),
            images="vision" in told,
            tools="tools" in told if told else None,
            reasoning="thinking" in told if told else None,
            embeddings="embedding" in told,
            is_embedder="embedding" in told and "completion" not in told,
            is_loaded=model.id in loaded,
        )

    refined = await asyncio.gather(*(refine(each) for each in listed[:MAX_DETAILED]))
    return DetailedModels([*refined, *listed[MAX_DETAILED:]], text_in(version, "version"))


async def _show(client: ConnectionClient, model: str) -> JsonObject:
    try:
        return await client.post("/api/show", {"model": model}, timeout_s=TIMEOUT_S)
    except (ServerFailed, AccessDenied):
        return {}


def _lm_studio(reply: JsonObject, listed: list[ListedModel]) -> list[ListedModel]:
    entries = {text_in(entry, "id"): entry for entry in objects_in(reply, "data")}
    return [_lm_studio_model(each, entries[each.id]) if each.id in entries else each for each in listed]


def _lm_studio_model(model: ListedModel, entry: JsonObject) -> ListedModel:
    is_loaded = text_in(entry, "state") == "loaded"
    length = count_in(entry, "loaded_context_length") if is_loaded else 0
    return replace(
        model,
        n_ctx=length or (count_in(entry, "max_context_length") if is_loaded else 0),
        images=text_in(entry, "type") == "vlm",
        tools="tool_use" in list_in(entry, "capabilities"),
        embeddings=text_in(entry, "type") == "embeddings",
        is_embedder=text_in(entry, "type") == "embeddings",
        is_loaded=is_loaded,
    )
