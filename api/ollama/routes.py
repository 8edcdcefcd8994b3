"""Ollama's routes. Thin: read, translate, ask, write. Nothing here fetches, makes or deletes a model."""

from __future__ import annotations

import time

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.deps import KeepAliveDep, StatusDep, read_body
from api.ollama.answer import OllamaLineWriter, OllamaMeta, loaded, whole
from api.ollama.models import VERSION, bare_name, embedded, listed, running, shown
from api.ollama.request import chat_request, embed_request, generate_request
from api.ollama.schemas import AnswerBody, ChatBody, EmbedBody, GenerateBody, KeepingBody, ModelBody
from api.request_context import EmbeddingContext, EmbeddingContextDep, RequestContext, RequestContextDep
from api.streaming import NDJSON
from engine.events import Embeddings
from engine.requests import Request

router = APIRouter(prefix="/api")


@router.get("/version")
async def get_version() -> Response:
    return JSONResponse({"version": VERSION})


@router.get("/tags")
async def list_models(status: StatusDep, keep_alive: KeepAliveDep) -> Response:
    model = status.model or keep_alive.unloaded_model
    return JSONResponse({"models": [listed(model)] if model else []})


@router.get("/ps")
async def list_running(status: StatusDep, keep_alive: KeepAliveDep) -> Response:
    return JSONResponse({"models": [running(status.model, keep_alive.expires_at)] if status.model else []})


@router.post("/show")
async def show_model(ctx: RequestContextDep) -> Response:
    body = await ctx.read(ModelBody)
    _check_model(ctx, body)
    return JSONResponse(shown(ctx.model, await ctx.query(lambda queries: queries.props())))


@router.post("/chat")
async def chat(ctx: RequestContextDep) -> Response:
    body = await ctx.read(ChatBody)
    _check_model(ctx, body)
    _keep(ctx, body)
    head = OllamaMeta(ctx.model.id, True, time.time, bool(body.logprobs))
    if not body.messages:
        return await _loaded(ctx, body, head)
    return await _answer(ctx, body, head, chat_request(body, ctx.request_id))


@router.post("/generate")
async def generate(ctx: RequestContextDep) -> Response:
    body = await ctx.read(GenerateBody)
    _check_model(ctx, body)
    _keep(ctx, body)
    head = OllamaMeta(ctx.model.id, False, time.time, bool(body.logprobs))
    if not body.prompt and not body.suffix:
        return await _loaded(ctx, body, head)
    before, behind = body.prompt or "", body.suffix
    fim_prompt = (
        await ctx.query(lambda questions: questions.fim_prompt(before, behind), answer_follows=True) if behind else None
    )
    return await _answer(ctx, body, head, generate_request(body, fim_prompt, ctx.request_id))


@router.post("/embed")
async def embed(ctx: EmbeddingContextDep) -> Response:
    return JSONResponse(await _embedded(ctx))


@router.post("/embeddings")
async def embed_one(ctx: EmbeddingContextDep) -> Response:
    """The older way: one text, one vector."""
    vectors = (await _embedded(ctx))["embeddings"]
    first = vectors[0] if isinstance(vectors, list) and vectors else []
    return JSONResponse({"embedding": first})


async def _embedded(ctx: EmbeddingContext) -> dict[str, object]:
    body = await read_body(ctx.http, EmbedBody)
    ctx.check_model(bare_name(body.model or body.name))
    _keep(ctx, body)
    began = time.monotonic()
    request = embed_request(body, ctx.request_id)
    found = await ctx.embed(request) if request.inputs else Embeddings((), 0)
    return embedded(ctx.model, found, time.monotonic() - began)


async def _loaded(ctx: RequestContext, body: AnswerBody, head: OllamaMeta) -> Response:
    """To a request that says nothing, which is Ollama's way to ask that the model be loaded, or with `keep_alive: 0`
    that it go. It goes when nobody is being answered; where tools may not take it away, it stays, and that is said."""
    if body.keep_alive == 0 and ctx.keep_alive.can_unload:
        await ctx.keep_alive.release()
        return JSONResponse(loaded(head, unload=True))
    await ctx.keep_alive.ensure_loaded()
    return JSONResponse(loaded(head, unload=False))


async def _answer(ctx: RequestContext, body: AnswerBody, head: OllamaMeta, request: Request) -> Response:
    if body.stream is not False:
        return ctx.stream([request], OllamaLineWriter(head), NDJSON)
    answers = await ctx.collect([request])
    return ctx.reply(whole(head, answers[0]), answers)


def _keep(ctx: RequestContext | EmbeddingContext, body: KeepingBody) -> None:
    """Before anything else can go wrong with the request: the time it names counts from its end, however it ends."""
    if body.keep_alive is not None:
        ctx.keep_alive.unload_after(body.keep_alive)


def _check_model(ctx: RequestContext, body: ModelBody) -> None:
    ctx.check_model(bare_name(body.model or body.name))
