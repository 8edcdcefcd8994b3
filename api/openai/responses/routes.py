"""The routes of the responses API. Thin: read, translate, ask, write."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api.deps import Holder
from api.desk import AtDesk
from api.keyring import KeyHolder
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
async def create_response(desk: AtDesk, store: Store, holder: Holder) -> Response:
    body = await desk.read(ResponsesBody)
    desk.check_model(body.model)
    items = await _conversation(body, store, holder)
    request = responses_request(body, items, desk.request_id)
    stores = body.store is not False and store.keeps
    head = ResponseHead(request.id, desk.now, desk.model.id, body, request, stores)

    def keep(response: Item) -> None:
        output = response["output"]
        if stores and isinstance(output, list):
            response["store"] = store.put(Kept(response, [*items, *output], holder.id))

    if body.stream:
        return desk.stream([request], ResponseWriter(head, keep), ends_on_thread=stores)
    response = whole_response(head, (await desk.collect([request]))[0])
    await asyncio.to_thread(keep, response)
    return JSONResponse(response)


@router.post("/v1/responses/input_tokens")
@router.post("/responses/input_tokens")
async def count_tokens(desk: AtDesk, store: Store, holder: Holder) -> Response:
    body = await desk.read_query(ResponsesBody)
    desk.check_model(body.model)
    request = responses_request(body, await _conversation(body, store, holder), desk.request_id)
    n_tokens = await desk.query(lambda questions: questions.count(request))
    return JSONResponse({"object": "response.input_tokens", "input_tokens": n_tokens})


@router.get("/v1/responses/{response_id}")
async def get_response(response_id: str, store: Store, holder: Holder) -> Response:
    return JSONResponse((await store.get(response_id, holder)).response)


@router.delete("/v1/responses/{response_id}")
async def delete_response(response_id: str, store: Store, holder: Holder) -> Response:
    await store.delete(response_id, holder)
    return JSONResponse({"id": response_id, "object": "response", "deleted": True})


async def _conversation(body: ResponsesBody, store: ResponseStore, holder: KeyHolder) -> list[Item]:
    """What was said before, then what is said now. Raises ResponseUnknown."""
    previous = body.previous_response_id
    before = (await store.get(previous, holder)).items if previous else []
    return [*before, *items_of(body.input)]
