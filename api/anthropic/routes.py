"""Routes of Anthropic's messages API. Anthropic's clients append /v1 to the base URL themselves."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.anthropic.answer import MessageMeta, MessageWriter, message
from api.anthropic.request import count_request, messages_request
from api.anthropic.schemas import CountBody, MessagesBody
from api.request_context import RequestContextDep

router = APIRouter(prefix="/v1/messages")


@router.post("")
async def create_message(ctx: RequestContextDep) -> Response:
    """Answers a conversation."""
    body = await ctx.read(MessagesBody)
    ctx = await ctx.choose(body.model)
    request = messages_request(body, ctx.request_id)
    meta = MessageMeta(f"msg_{request.id}", ctx.model.id, body.context_management is not None)
    if body.stream:
        return ctx.stream([request], MessageWriter(meta))
    answers = await ctx.collect([request])
    return ctx.reply(message(meta, answers[0]), answers)


@router.post("/count_tokens")
async def count_tokens(ctx: RequestContextDep) -> Response:
    """Counts the tokens of a prompt."""
    body = await ctx.read_query(CountBody)
    ctx = await ctx.choose(body.model)
    request = count_request(body, ctx.request_id)
    return JSONResponse({"input_tokens": await ctx.query(lambda queries: queries.count_tokens(request))})
