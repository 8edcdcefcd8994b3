"""OpenAI's routes. Thin: read, translate, ask, write."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.deps import LoadedEngine, LoadedModel, Requests, Settings, read_body
from api.errors import ModelUnknown
from api.openai.schemas import ChatCompletionBody
from api.openai.translate import ChunkWriter, Head, chat_request, completion, model_object
from api.sse import EventStream
from engine.requests import new_request_id

router = APIRouter(prefix="/v1")


@router.get("/models")
async def list_models(model: LoadedModel) -> Response:
    return JSONResponse({"object": "list", "data": [model_object(model)]})


@router.get("/models/{name:path}")
async def get_model(name: str, model: LoadedModel) -> Response:
    if name != model.id:
        raise ModelUnknown(name)
    return JSONResponse(model_object(model))


@router.post("/chat/completions")
async def create_chat_completion(
    http: Request, engine: LoadedEngine, model: LoadedModel, settings: Settings, requests: Requests
) -> Response:
    body = await read_body(http, ChatCompletionBody)
    if settings.unknown_model == "404" and body.model not in (None, model.id):
        raise ModelUnknown(body.model or "")
    request = chat_request(body, new_request_id())
    head = Head(f"chatcmpl-{request.id}", int(time.time()), model.id)
    if body.stream:
        include_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
        return EventStream(engine, requests, request, ChunkWriter(head, include_usage), settings.ping_interval_s)
    async with requests.ask(engine, request, http.receive) as stream:
        text, finished = await stream.collect()
    return JSONResponse(completion(head, text, finished))
