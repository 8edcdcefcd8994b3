"""Routes of Ollama's API, except those that download, create or delete models."""

from __future__ import annotations

import time

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.ollama.answer import OllamaLineWriter, OllamaMeta, loaded, whole
from api.ollama.models import VERSION, bare_name, details_object, embeddings_object, list_entry, running_entry
from api.ollama.request import chat_request, embed_request, generate_request
from api.ollama.schemas import AnswerBody, ChatBody, EmbedBody, GenerateBody, KeepAliveBody, ModelBody
from api.request_context import (
    EmbeddingContext,
    EmbeddingContextDep,
    ListingContextDep,
    RequestContext,
    RequestContextDep,
    read_body,
)
from api.streaming import NDJSON
from engine.events import Embeddings
from engine.requests import Request

router = APIRouter(prefix="/api")


@router.get("/version")
async def get_version() -> Response:
    """Returns the version of Ollama whose API this server implements."""
    return JSONResponse({"version": VERSION})


@router.get("/tags")
async def list_models(ctx: ListingContextDep) -> Response:
    """Lists the models, also those that are not in memory until a request needs them."""
    return JSONResponse({"models": [list_entry(each.model) for each in ctx.listed()]})


@router.get("/ps")
async def list_running(ctx: ListingContextDep) -> Response:
    """Lists the models that are in memory."""
    running = [each for each in ctx.listed() if each.state == "loaded"]
    return JSONResponse({"models": [running_entry(each.model, each.expires_at) for each in running]})


@router.post("/show")
async def show_model(ctx: RequestContextDep) -> Response:
    """Describes the model."""
    body = await ctx.read(ModelBody)
    found = await ctx.describe(_name(body), reloads=True)
    return JSONResponse(details_object(found.model, found.props, found.capabilities))


@router.post("/chat")
async def chat(ctx: RequestContextDep) -> Response:
    """Answers a conversation. Without messages, loads or unloads the model."""
    body = await ctx.read(ChatBody)
    ctx = await ctx.choose(_name(body))
    _set_keep_alive(ctx, body)
    meta = OllamaMeta(ctx.model.id, True, time.time, bool(body.logprobs))
    if not body.messages:
        return await _load_or_unload(ctx, body, meta)
    return await _answer(ctx, body, meta, chat_request(body, ctx.request_id))


@router.post("/generate")
async def generate(ctx: RequestContextDep) -> Response:
    """Answers a prompt, or generates the text before a suffix. Without either, loads or unloads the model."""
    body = await ctx.read(GenerateBody)
    ctx = await ctx.choose(_name(body))
    _set_keep_alive(ctx, body)
    meta = OllamaMeta(ctx.model.id, False, time.time, bool(body.logprobs))
    if not body.prompt and not body.suffix:
        return await _load_or_unload(ctx, body, meta)
    prompt, suffix = body.prompt or "", body.suffix
    fim_prompt = None
    if suffix:
        fim_prompt = await ctx.query(lambda queries: queries.fim_prompt(prompt, suffix), answer_follows=True)
    return await _answer(ctx, body, meta, generate_request(body, fim_prompt, ctx.request_id))


@router.post("/embed")
async def embed(ctx: EmbeddingContextDep) -> Response:
    """Computes vectors for texts."""
    return JSONResponse(await _embed(ctx))


@router.post("/embeddings")
async def embed_one(ctx: EmbeddingContextDep) -> Response:
    """Computes the vector for one text. /api/embed is the successor of this route."""
    vectors = (await _embed(ctx))["embeddings"]
    first = vectors[0] if isinstance(vectors, list) and vectors else []
    return JSONResponse({"embedding": first})


async def _embed(ctx: EmbeddingContext) -> dict[str, object]:
    body = await read_body(ctx.http, EmbedBody)
    ctx = await ctx.choose(_name(body))
    _set_keep_alive(ctx, body)
    began = time.monotonic()
    request = embed_request(body, ctx.request_id)
    embeddings = await ctx.embed(request) if request.inputs else Embeddings((), 0)
    return embeddings_object(ctx.model, embeddings, time.monotonic() - began)


async def _load_or_unload(ctx: RequestContext, body: AnswerBody, meta: OllamaMeta) -> Response:
    """Answers a request without a prompt. Such a request loads the model or, with `keep_alive: 0`, unloads it once it
    is idle.

    If clients may not unload the model, it stays loaded, and the answer states that."""
    if body.keep_alive == 0 and ctx.keep_alive.can_unload:
        await ctx.keep_alive.release()
        return JSONResponse(loaded(meta, unload=True))
    await ctx.keep_alive.ensure_loaded()
    return JSONResponse(loaded(meta, unload=False))


async def _answer(ctx: RequestContext, body: AnswerBody, meta: OllamaMeta, request: Request) -> Response:
    if body.stream is not False:
        return ctx.stream([request], OllamaLineWriter(meta), NDJSON)
    answers = await ctx.collect([request])
    return ctx.reply(whole(meta, answers[0]), answers)


def _set_keep_alive(ctx: RequestContext | EmbeddingContext, body: KeepAliveBody) -> None:
    """Sets the idle time after which the model is unloaded. Called before anything can fail, so that the new time also
    applies if the request fails."""
    if body.keep_alive is not None:
        ctx.keep_alive.unload_after(body.keep_alive)


def _name(body: ModelBody) -> str | None:
    return bare_name(body.model or body.name)
