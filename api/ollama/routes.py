"""Ollama's routes. Thin: read, translate, ask, write. Nothing here fetches, makes or deletes a model."""

from __future__ import annotations

import time

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.deps import EngineStatus, ModelShelf, read_body
from api.desk import AtDesk, AtEmbeddingDesk, Desk, EmbeddingDesk
from api.ollama.answer import LineWriter, OllamaHead, loaded, whole
from api.ollama.models import VERSION, bare_name, embedded, listed, running, shown
from api.ollama.request import chat_request, embed_request, generate_request
from api.ollama.schemas import AnswerBody, ChatBody, EmbedBody, GenerateBody, KeepingBody, ModelBody
from api.sse import NDJSON
from engine.events import Embeddings
from engine.requests import Request

router = APIRouter(prefix="/api")


@router.get("/version")
async def get_version() -> Response:
    return JSONResponse({"version": VERSION})


@router.get("/tags")
async def list_models(status: EngineStatus, shelf: ModelShelf) -> Response:
    model = status.model or shelf.resting
    return JSONResponse({"models": [listed(model)] if model else []})


@router.get("/ps")
async def list_running(status: EngineStatus, shelf: ModelShelf) -> Response:
    return JSONResponse({"models": [running(status.model, shelf.expires_at)] if status.model else []})


@router.post("/show")
async def show_model(desk: AtDesk) -> Response:
    body = await desk.read(ModelBody)
    _check_model(desk, body)
    return JSONResponse(shown(desk.model, await desk.query(lambda questions: questions.card())))


@router.post("/chat")
async def chat(desk: AtDesk) -> Response:
    body = await desk.read(ChatBody)
    _check_model(desk, body)
    _keep(desk, body)
    head = OllamaHead(desk.model.id, True, time.time, bool(body.logprobs))
    if not body.messages:
        return await _loaded(desk, body, head)
    return await _answer(desk, body, head, chat_request(body, desk.request_id))


@router.post("/generate")
async def generate(desk: AtDesk) -> Response:
    body = await desk.read(GenerateBody)
    _check_model(desk, body)
    _keep(desk, body)
    head = OllamaHead(desk.model.id, False, time.time, bool(body.logprobs))
    if not body.prompt and not body.suffix:
        return await _loaded(desk, body, head)
    before, behind = body.prompt or "", body.suffix
    gap_prompt = (
        await desk.query(lambda questions: questions.gap_prompt(before, behind), is_first_step=True) if behind else None
    )
    return await _answer(desk, body, head, generate_request(body, gap_prompt, desk.request_id))


@router.post("/embed")
async def embed(desk: AtEmbeddingDesk) -> Response:
    return JSONResponse(await _embedded(desk))


@router.post("/embeddings")
async def embed_one(desk: AtEmbeddingDesk) -> Response:
    """The older way: one text, one vector."""
    vectors = (await _embedded(desk))["embeddings"]
    first = vectors[0] if isinstance(vectors, list) and vectors else []
    return JSONResponse({"embedding": first})


async def _embedded(desk: EmbeddingDesk) -> dict[str, object]:
    body = await read_body(desk.http, EmbedBody)
    desk.check_model(bare_name(body.model or body.name))
    _keep(desk, body)
    began = time.monotonic()
    request = embed_request(body, desk.request_id)
    found = await desk.embed(request) if request.inputs else Embeddings((), 0)
    return embedded(desk.model, found, time.monotonic() - began)


async def _loaded(desk: Desk, body: AnswerBody, head: OllamaHead) -> Response:
    """To a request that says nothing, which is Ollama's way to ask that the model be loaded, or with `keep_alive: 0`
    that it go. It goes when nobody is being answered; where tools may not take it away, it stays, and that is said."""
    if body.keep_alive == 0 and desk.shelf.may_change:
        await desk.shelf.let_go()
        return JSONResponse(loaded(head, unload=True))
    await desk.shelf.take_back()
    return JSONResponse(loaded(head, unload=False))


async def _answer(desk: Desk, body: AnswerBody, head: OllamaHead, request: Request) -> Response:
    if body.stream is not False:
        return desk.stream([request], LineWriter(head), NDJSON)
    answers = await desk.collect([request])
    return desk.reply(whole(head, answers[0]), answers)


def _keep(desk: Desk | EmbeddingDesk, body: KeepingBody) -> None:
    """Before anything else can go wrong with the request: the time it names counts from its end, however it ends."""
    if body.keep_alive is not None:
        desk.shelf.keep_for(body.keep_alive)


def _check_model(desk: Desk, body: ModelBody) -> None:
    desk.check_model(bare_name(body.model or body.name))
