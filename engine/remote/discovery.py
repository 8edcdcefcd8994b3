"""Finds out what a server is and which models it has. Sends nothing of a chat."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from engine.chat_engine import Capabilities
from engine.errors import EngineError, ServerFailed
from engine.remote.client import ConnectionClient
from engine.remote.connection import DEFAULT_API_PATH, ServerKind
from engine.remote.listed_models import ListedModel, listed_models
from engine.remote.model_details import optional, refined_models
from engine.remote.remote_model import RemoteModel, shown_name
from engine.remote.server_errors import shortened
from engine.remote.server_kinds import CAPABILITIES
from engine.remote.untrusted_json import JsonObject, object_in, text_in

PROBE_TIMEOUT_S = 10.0

_OWNERS: dict[str, ServerKind] = {
    "inglenook": "inglenook",
    "llamacpp": "llama.cpp",
    "vllm": "vllm",
    "sglang": "sglang",
    "library": "ollama",
    "organization_owner": "lmstudio",
}
"""The `owned_by` of models on servers that write the same for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundServer:
    """What a test of a connection found. The texts come from the server, so they are untrusted."""

    kind: ServerKind
    version: str
    """Empty if the server does not tell it."""
    latency_s: float
    """Seconds from the request for the list of models to its end."""
    api_path: str
    """The path of OpenAI's API. A connection with another one must be changed to it."""
    models: tuple[RemoteModel, ...]


async def find_server(client: ConnectionClient) -> FoundServer:
    """Tests a connection. Raises ServerUnreachable, AccessDenied, ServerBusy, ServerFailed."""
    return await client.thread.call(_find_server(client))


async def _find_server(client: ConnectionClient) -> FoundServer:
    await client.open()  # before the time is taken, because the first use of the HTTP library takes long
    api_path, reply, latency_s = await _list_models(client)
    listed = listed_models(reply)
    kind = client.connection.kind
    version = ""
    if kind == "auto":
        kind, version = await _recognise(client, listed)
    details = await refined_models(client, kind, listed)
    models = tuple(_model(client, kind, each) for each in details.models)
    return FoundServer(
        kind=kind,
        version=shortened(version or details.version),
        latency_s=latency_s,
        api_path=api_path,
        models=models,
    )


async def _list_models(client: ConnectionClient) -> tuple[str, JsonObject, float]:
    """Asks for the list of models. If there is none at the usual path of the API, the address itself may be its base.
    Returns the path of the API, the list, and the seconds that it took."""
    paths = dict.fromkeys((client.connection.api_path, DEFAULT_API_PATH, ""))
    refused: EngineError | None = None
    for path in paths:
        began = time.monotonic()
        try:
            reply = await client.get(f"{path}/models", timeout_s=PROBE_TIMEOUT_S)
        except ServerFailed as error:
            refused = refused or error
            continue
        if isinstance(reply.get("data"), list):
            return path, reply, time.monotonic() - began
    raise refused or ServerFailed(client.host, "it has no list of models", 200)


async def _recognise(client: ConnectionClient, listed: list[ListedModel]) -> tuple[ServerKind, str]:
    """Returns the kind of a server and its version."""
    owners = {each.owner for each in listed}
    if len(owners) == 1 and (kind := _OWNERS.get(owners.pop())) is not None:
        return kind, ""
    if not client.connection.is_this_computer and _is_cloud(client.connection.address):
        return "openai", ""
    props = await optional(client, "/props")
    if build := text_in(props, "build_info"):
        return ("inglenook" if build == "inglenook" else "llama.cpp"), build
    if object_in(props, "default_generation_settings"):
        return "llama.cpp", ""
    if version := text_in(await optional(client, "/api/version"), "version"):
        return "ollama", version
    if isinstance((await optional(client, "/api/v0/models")).get("data"), list):
        return "lmstudio", ""
    if "is_generation" in await optional(client, "/get_model_info"):
        return "sglang", ""
    return "openai", ""


def _is_cloud(address: str) -> bool:
    return address.startswith("https://") and address.removeprefix("https://").startswith("api.")


def _model(client: ConnectionClient, kind: ServerKind, found: ListedModel) -> RemoteModel:
    return RemoteModel(
        id=found.id,
        name=found.name or shown_name(found.id),
        n_ctx=found.n_ctx,
        loaded_at=time.time(),
        host=client.host,
        connection_id=client.connection.id,
        kind=kind,
        capabilities=_capabilities(CAPABILITIES[kind], found),
        is_embedder=found.is_embedder,
        is_loaded=found.is_loaded,
    )


def _capabilities(usual: Capabilities, found: ListedModel) -> Capabilities:
    if found.is_embedder:
        return Capabilities(embeddings=True)
    return replace(
        usual,
        images=found.images,
        tools=usual.tools if found.tools is None else found.tools,
        reasoning=usual.reasoning if found.reasoning is None else found.reasoning,
        embeddings=usual.embeddings if found.embeddings is None else found.embeddings,
    )
