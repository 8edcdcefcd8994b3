"""The routes of the responses API. Thin: read, translate, ask, write."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api.desk import AtDesk
from api.openai.responses.answer import ResponseHead, whole_response
from api.openai.responses.items import Item, items_of
from api.openai.responses.request import responses_request
from api.openai.responses.schemas import ResponsesBody
from api.openai.responses.store import Kept, ResponseStore
from api.openai.responses.stream import ResponseWriter

router = APIRouter()


async def get_store(request: Request) -> ResponseStore:
    store: ResponseStore = request.app.state.responses
    return store


Store = Annotated[ResponseStore, Depends(get_store)]


@router.post("/v1/responses")
@router.post("/responses")
async def create_response(desk: AtDesk, store: Store) -> Response:
    body = await desk.read(ResponsesBody)
    desk.check_model(body.model)
    items = _conversation(body, store)
    request = responses_request(body, items, desk.request_id)
    head = ResponseHead(request.id, desk.now, desk.model.id, body, request)

    def keep(response: Item) -> None:
        output = response["output"]
        if body.store is not False and isinstance(output, list):
            store.put(Kept(response, [*items, *output]))

    if body.stream:
        return desk.stream([request], ResponseWriter(head, keep))
    response = whole_response(head, (await desk.collect([request]))[0])
    keep(response)
    return JSONResponse(response)


@router.post("/v1/responses/input_tokens")
@router.post("/responses/input_tokens")
async def count_tokens(desk: AtDesk, store: Store) -> Response:
    body = await desk.read(ResponsesBody)
    desk.check_model(body.model)
    request = responses_request(body, _conversation(body, store), desk.request_id)
    return JSONResponse(
        {"object": "response.input_tokens", "input_tokens": await (await desk.questions()).count(request)}
    )


@router.get("/v1/responses/{response_id}")
async def get_response(response_id: str, store: Store) -> Response:
    return JSONResponse(store.get(response_id).response)


@router.delete("/v1/responses/{response_id}")
async def delete_response(response_id: str, store: Store) -> Response:
    store.delete(response_id)
    return JSONResponse({"id": response_id, "object": "response", "deleted": True})


def _conversation(body: ResponsesBody, store: ResponseStore) -> list[Item]:
    """What was said before, then what is said now. Raises ResponseUnknown."""
    before = store.get(body.previous_response_id).items if body.previous_response_id else []
    return [*before, *items_of(body.input)]
