"""Anthropic's routes. Its clients add /v1 themselves. Thin: read, translate, ask, write."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.anthropic.answer import MessageHead, MessageWriter, message
from api.anthropic.request import count_request, messages_request
from api.anthropic.schemas import CountBody, MessagesBody
from api.desk import AtDesk

router = APIRouter(prefix="/v1/messages")


@router.post("")
async def create_message(desk: AtDesk) -> Response:
    body = await desk.read(MessagesBody)
    desk.check_model(body.model)
    request = messages_request(body, desk.request_id)
    head = MessageHead(f"msg_{request.id}", desk.model.id, body.context_management is not None)
    if body.stream:
        return desk.stream([request], MessageWriter(head))
    answers = await desk.collect([request])
    return desk.reply(message(head, answers[0]), answers)


@router.post("/count_tokens")
async def count_tokens(desk: AtDesk) -> Response:
    body = await desk.read_query(CountBody)
    desk.check_model(body.model)
    request = count_request(body, desk.request_id)
    return JSONResponse({"input_tokens": await desk.query(lambda questions: questions.count(request))})
