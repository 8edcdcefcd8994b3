"""Routes of chat completions. They also exist without /v1, because some clients omit it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.openai.chat.answer import ChatChunkWriter, ResponseMeta, ResponseOptions, completion
from api.openai.chat.request import chat_request, chat_requests
from api.openai.chat.schemas import ChatCompletionBody
from api.request_context import RequestContextDep

router = APIRouter()


@router.post("/v1/chat/completions")
@router.post("/chat/completions")
async def create_chat_completion(ctx: RequestContextDep) -> Response:
    """Answers a conversation."""
    body = await ctx.read(ChatCompletionBody)
    ctx = await ctx.choose(body.model)
    requests = chat_requests(body, ctx.request_id)
    meta = ResponseMeta(f"chatcmpl-{ctx.request_id}", ctx.now, ctx.model.id)
    options = ResponseOptions(
        include_usage=body.stream_options is not None and bool(body.stream_options.include_usage),
        n=len(requests),
        logprobs=bool(body.logprobs),
        legacy_call=body.functions is not None,
        timings_per_token=bool(body.timings_per_token),
    )
    if body.stream:
        writer = ChatChunkWriter(meta, options, lambda index: ctx.engine.progress(requests[index].id))
        return ctx.stream(requests, writer)
    answers = await ctx.collect(requests)
    return ctx.reply(completion(meta, answers, options), answers)


@router.post("/v1/chat/completions/input_tokens")
@router.post("/chat/completions/input_tokens")
async def count_chat_tokens(ctx: RequestContextDep) -> Response:
    """Counts the tokens of a prompt, as llama.cpp's server does."""
    body = await ctx.read_query(ChatCompletionBody)
    ctx = await ctx.choose(body.model)
    request = chat_request(body, ctx.request_id)
    n_tokens = await ctx.query(lambda queries: queries.count_tokens(request))
    return JSONResponse({"object": "response.input_tokens", "input_tokens": n_tokens})
