"""OpenAI's routes. Thin: read, translate, ask, write. Some tools are given the address without /v1."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.desk import AtDesk
from api.errors import ModelUnknown
from api.openai.chat_answer import ChunkWriter, Head, Manner, completion
from api.openai.chat_body import ChatCompletionBody
from api.openai.chat_request import chat_requests
from api.openai.models import anthropic_list, anthropic_model, model_object
from engine.requests import new_request_id

router = APIRouter()


@router.get("/v1/models")
@router.get("/models")
async def list_models(desk: AtDesk) -> Response:
    if "anthropic-version" in desk.http.headers:
        return JSONResponse(anthropic_list([desk.model]))
    return JSONResponse({"object": "list", "data": [model_object(desk.model)]})


@router.get("/v1/models/{name:path}")
async def get_model(name: str, desk: AtDesk) -> Response:
    if name != desk.model.id:
        raise ModelUnknown(name)
    is_anthropic = "anthropic-version" in desk.http.headers
    return JSONResponse(anthropic_model(desk.model) if is_anthropic else model_object(desk.model))


@router.post("/v1/chat/completions")
@router.post("/chat/completions")
async def create_chat_completion(desk: AtDesk) -> Response:
    body = await desk.read(ChatCompletionBody)
    desk.check_model(body.model)
    requests = chat_requests(body, new_request_id())
    head = Head(f"chatcmpl-{requests[0].id}", desk.now, desk.model.id)
    include_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
    manner = Manner(include_usage, len(requests), bool(body.logprobs), body.functions is not None)
    if body.stream:
        return desk.stream(requests, ChunkWriter(head, manner))
    return JSONResponse(completion(head, await desk.collect(requests), manner))
