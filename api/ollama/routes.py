"""Ollama's routes. Thin: read, translate, ask, write. Nothing here fetches, makes or deletes a model."""

from __future__ import annotations

import time

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.deps import EngineStatus, read_body
from api.desk import AtDesk, AtEmbeddingDesk, Desk, EmbeddingDesk
from api.ollama.answer import LineWriter, OllamaHead, loaded, whole
from api.ollama.models import VERSION, bare_name, embedded, listed, running, shown
from api.ollama.request import chat_request, embed_request, generate_request
from api.ollama.schemas import AnswerBody, ChatBody, EmbedBody, GenerateBody, ModelBody
from api.sse import NDJSON
from engine.events import Embeddings
from engine.requests import Request, new_request_id

router = APIRouter(prefix="/api")


@router.get("/version")
async def get_version() -> Response:
    return JSONResponse({"version": VERSION})


@router.get("/tags")
async def list_models(status: EngineStatus) -> Response:
    return JSONResponse({"models": [listed(status.model)] if status.model else []})


@router.get("/ps")
async def list_running(status: EngineStatus) -> Response:
    return JSONResponse({"models": [running(status.model)] if status.model else []})


@router.post("/show")
async def show_model(desk: AtDesk) -> Response:
    body = await desk.read(ModelBody)
    _check_model(desk, body)
    return JSONResponse(shown(desk.model, await desk.engine.ask.card()))


@router.post("/chat")
async def chat(desk: AtDesk) -> Response:
    body = await desk.read(ChatBody)
    _check_model(desk, body)
    head = OllamaHead(desk.model.id, True, time.time, bool(body.logprobs))
    if not body.messages:
        return JSONResponse(loaded(head, body.keep_alive == 0))
    return await _answer(desk, body, head, chat_request(body, new_request_id()))


@router.post("/generate")
async def generate(desk: AtDesk) -> Response:
    body = await desk.read(GenerateBody)
    _check_model(desk, body)
    head = OllamaHead(desk.model.id, False, time.time, bool(body.logprobs))
    if not body.prompt and not body.suffix:
        return JSONResponse(loaded(head, body.keep_alive == 0))
    gap_prompt = await desk.engine.ask.gap_prompt(body.prompt or "", body.suffix) if body.suffix else None
    return await _answer(desk, body, head, generate_request(body, gap_prompt, new_request_id()))


@router.post("/embed")
async def embed(desk: AtEmbeddingDesk) -> Response:
    return JSONResponse(await _embedded(desk))


@router.post("/embeddings")
async def embed_one(desk: AtEmbeddingDesk) -> Response:
    """The older way: one text, one vector."""
    vectors = (await _embedded(desk))["embeddings"]
    return JSONResponse({"embedding": vectors[0] if isinstance(vectors, list) and vectors else []})


async def _embedded(desk: EmbeddingDesk) -> dict[str, object]:
    body = await read_body(desk.http, EmbedBody)
    desk.check_model(bare_name(body.model or body.name))
    began = time.monotonic()
    request = embed_request(body, new_request_id())
    found = await desk.embed(request) if request.inputs else Embeddings((), 0)
    return embedded(desk.model, found, time.monotonic() - began)


async def _answer(desk: Desk, body: AnswerBody, head: OllamaHead, request: Request) -> Response:
    if body.stream is not False:
        return desk.stream([request], LineWriter(head), NDJSON)
    return JSONResponse(whole(head, (await desk.collect([request]))[0]))


def _check_model(desk: Desk, body: ModelBody) -> None:
    desk.check_model(bare_name(body.model or body.name))
