"""Reads a server's list of models: OpenAI's format with the fields that servers add."""

from __future__ import annotations

from dataclasses import dataclass

from engine.remote.untrusted_json import JsonObject, count_in, list_in, object_in, objects_in, text_in

MAX_MODELS = 2000
MAX_ID = 500

_CONTEXT_FIELDS = ("max_model_len", "context_length", "context_window", "loaded_context_length", "max_context_length")
"""Names of the context length: those of vLLM and SGLang, OpenRouter, Groq, LM Studio, and Mistral."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """What a server tells about a model. None means that it does not tell it."""

    id: str
    owner: str = ""
    name: str = ""
    n_ctx: int = 0
    images: bool = False
    tools: bool | None = None
    reasoning: bool | None = None
    embeddings: bool | None = None
    is_embedder: bool = False
    is_loaded: bool | None = None


def listed_models(reply: JsonObject) -> list[ListedModel]:
    """The models in a list. Entries without an id, or with one that is too long, are left out."""
    found: dict[str, ListedModel] = {}
    for entry in objects_in(reply, "data")[:MAX_MODELS]:
        id = text_in(entry, "id")
        if id and len(id) <= MAX_ID and id.isprintable():
            found.setdefault(id, _model(id, entry))
    return list(found.values())


def _model(id: str, entry: JsonObject) -> ListedModel:
    meta, owner = object_in(entry, "meta"), text_in(entry, "owned_by")
    lengths = [count_in(meta, "n_ctx"), *(count_in(entry, name) for name in _CONTEXT_FIELDS)]
    modalities = list_in(object_in(entry, "architecture"), "input_modalities")
    capabilities = object_in(entry, "capabilities")
    parameters = list_in(entry, "supported_parameters")
    return ListedModel(
        id,
        owner,
        text_in(entry, "name")[:MAX_ID] if text_in(entry, "name").isprintable() else "",
        n_ctx=next((length for length in lengths if length), 0),
        images="image" in modalities or capabilities.get("vision") is True,
        tools=_told("tools" in parameters, parameters) if parameters else _flag(capabilities, "function_calling"),
        reasoning=_told("reasoning" in parameters, parameters),
        is_embedder=_is_embedder(id, owner, meta),
        is_loaded=_is_loaded(entry),
    )


def _told(value: bool, source: list[object]) -> bool | None:
    return value if source else None


def _flag(data: JsonObject, name: str) -> bool | None:
    found = data.get(name)
    return found if isinstance(found, bool) else None


def _is_loaded(entry: JsonObject) -> bool | None:
    """The state of a model of a llama-server with several models."""
    value = text_in(object_in(entry, "status"), "value")
    return value in ("loaded", "sleeping") if value else None


def _is_embedder(id: str, owner: str, meta: JsonObject) -> bool:
    if owner == "inglenook":
        return "n_embd" in meta  # only its embedding model has this field
    return "embed" in id.lower()
