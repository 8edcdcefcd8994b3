"""Routes that list the loaded models, for OpenAI's and Anthropic's clients, and that unload and load the model.

No answer contains the path of a model's file.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.errors import ModelNotFound
from api.model_router import ListedModel
from api.model_sources import UnloadedModel
from api.request_context import KeepAliveDep, RequestContext, RequestContextDep, embedder_of, reranker_of
from engine.chat_engine import ChatModel
from engine.status import EmbedderInfo, ModelInfo

router = APIRouter()
changes_router = APIRouter(prefix="/models")
"""The routes that unload and load the model. The app includes them only if the settings allow clients to do that."""


@router.get("/v1/models")
@router.get("/models")
async def list_models(ctx: RequestContextDep) -> Response:
    """Lists the models that requests can name, with their states. Requests with Anthropic's version header get
    Anthropic's format."""
    if "anthropic-version" in ctx.http.headers:
        return JSONResponse(anthropic_list([each.model for each in ctx.listed() if not each.is_embedder]))
    return JSONResponse({"object": "list", "data": list(_models_by_id(ctx).values())})


@router.get("/v1/models/{name:path}")
async def get_model(name: str, ctx: RequestContextDep) -> Response:
    """Describes one model."""
    if "anthropic-version" in ctx.http.headers:
        for each in ctx.listed():
            if each.model.id == name:
                return JSONResponse(anthropic_model(each.model))
    found = _models_by_id(ctx).get(name)
    if found is None:
        raise ModelNotFound(name)
    return JSONResponse(found)


@changes_router.post("/unload")
async def unload_model(keep_alive: KeepAliveDep) -> Response:
    """Unloads the model. Answers in progress end with an error, and requests are answered 503 until the next load."""
    await keep_alive.unload()
    return JSONResponse({"success": True})


@changes_router.post("/load")
async def load_model(keep_alive: KeepAliveDep) -> Response:
    """Loads the model in the settings unless one is loaded. Answers when the model is ready."""
    return JSONResponse({"success": True, "model": model_object(await keep_alive.load())})


def _models_by_id(ctx: RequestContext) -> dict[str, dict[str, object]]:
    listed = ctx.listed()
    found = {each.model.id: listed_object(each) for each in listed}
    embedder = embedder_of(ctx.engine.status)
    if embedder is not None and ctx.holder.may_use(embedder.id):
        found.setdefault(embedder.id, embedder_object(embedder, listed[0].model.loaded_at if listed else 0.0))
    reranker = reranker_of(ctx.engine.status)
    if reranker is not None:
        found.setdefault(reranker.id, reranker_object(reranker, listed[0].model.loaded_at if listed else 0.0))
    return found


def listed_object(listed: ListedModel) -> dict[str, object]:
    """A model with its state and modalities, in the form of llama.cpp's server with several models."""
    output = "embeddings" if listed.is_embedder else "text"
    inputs = ["text", "image"] if listed.capabilities.images else ["text"]
    return {
        **model_object(listed.model),
        "status": {"value": listed.state},
        "architecture": {"input_modalities": inputs, "output_modalities": [output]},
    }


def model_object(model: ChatModel) -> dict[str, object]:
    if isinstance(model, UnloadedModel):
        meta = {"n_ctx_train": model.n_ctx, "size": model.size_bytes}
        return _object(model.id, model.loaded_at, {name: value for name, value in meta.items() if value})
    if not isinstance(model, ModelInfo):
        return _object(model.id, model.loaded_at, {"n_ctx": model.n_ctx} if model.n_ctx else {}, owner=model.host)
    meta = {"n_ctx": model.n_ctx, "n_ctx_train": model.n_ctx_train, "size": model.size_bytes}
    if model.memory is not None and model.memory.offload.devices:
        meta["n_gpu_layers"] = model.memory.offload.n_layers
    return _object(model.id, model.loaded_at, meta)


def reranker_object(model: EmbedderInfo, loaded_at: float) -> dict[str, object]:
    return _object(model.id, loaded_at, {"n_ctx": model.n_ctx, "size": model.size_bytes})


def embedder_object(model: EmbedderInfo, loaded_at: float) -> dict[str, object]:
    return _object(model.id, loaded_at, {"n_ctx": model.n_ctx, "n_embd": model.n_dimensions, "size": model.size_bytes})


def _object(id: str, loaded_at: float, meta: dict[str, int], owner: str = "inglenook") -> dict[str, object]:
    return {"id": id, "object": "model", "created": int(loaded_at), "owned_by": owner, "meta": meta}


def anthropic_model(model: ChatModel) -> dict[str, object]:
    created_at = datetime.fromtimestamp(int(model.loaded_at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": "model", "id": model.id, "display_name": model.name, "created_at": created_at}


def anthropic_list(models: list[ChatModel]) -> dict[str, object]:
    return {
        "data": [anthropic_model(model) for model in models],
        "has_more": False,
        "first_id": models[0].id if models else None,
        "last_id": models[-1].id if models else None,
    }
