"""The routes of the responses API. Thin: read, translate, ask, write."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api.deps import Holder
from api.errors import BadRequest, ResponseNotFound
from api.keyring import KeyHolder
from api.openai.responses.answer import ResponsesMeta, whole_response
from api.openai.responses.items import Item, items_of
from api.openai.responses.request import responses_request
from api.openai.responses.schemas import ResponsesBody
from api.openai.responses.store import ResponseStore, StoredResponse
from api.openai.responses.stored_response import (
    MAX_EVENTS,
    MAX_ITEMS_KEPT,
    input_items,
    outputs,
    query_number,
    reference,
    replayed,
    response_of,
)
from api.openai.responses.stream import ResponsesEventWriter
from api.request_context import RequestContextDep
from api.streaming import SSE

router = APIRouter()


async def get_store(request: Request) -> ResponseStore:
    store: ResponseStore = request.app.state.responses
    return store


Store = Annotated[ResponseStore, Depends(get_store)]


@router.post("/v1/responses")
@router.post("/responses")
async def create_response(ctx: RequestContextDep, store: Store, holder: Holder) -> Response:
    body = await ctx.read(ResponsesBody)
    ctx.check_model(body.model)
    items = await _conversation(body, store, holder)
    request = responses_request(body, items, ctx.request_id)
    stores = body.store is not False and store.keeps
    head = ResponsesMeta(request.id, ctx.now, ctx.model.id, body, request, stores)

    def keep(response: Item) -> None:
        output = response["output"]
        if stores and isinstance(output, list):
            response["store"] = store.put(StoredResponse(response, [*items, *output], holder.id))

    if body.stream:
        return ctx.stream([request], ResponsesEventWriter(head, keep), ends_on_thread=stores)
    answers = await ctx.collect([request])
    response = whole_response(head, answers[0])
    await asyncio.to_thread(keep, response)
    return ctx.reply(response, answers)


@router.post("/v1/responses/input_tokens")
@router.post("/responses/input_tokens")
async def count_tokens(ctx: RequestContextDep, store: Store, holder: Holder) -> Response:
    body = await ctx.read_query(ResponsesBody)
    ctx.check_model(body.model)
    request = responses_request(body, await _conversation(body, store, holder), ctx.request_id)
    n_tokens = await ctx.query(lambda queries: queries.count_tokens(request))
    return JSONResponse({"object": "response.input_tokens", "input_tokens": n_tokens})


@router.get("/v1/responses/{response_id}")
@router.get("/responses/{response_id}")
async def get_response(response_id: str, http: Request, store: Store, holder: Holder) -> Response:
    response = (await store.get(response_id, holder)).response
    if http.query_params.get("stream") not in ("true", "1"):
        return JSONResponse(response)
    after = query_number(http.query_params, "starting_after", -1, range(-1, MAX_EVENTS))
    return Response(replayed(response, after), media_type=SSE.media_type)


@router.get("/v1/responses/{response_id}/input_items")
@router.get("/responses/{response_id}/input_items")
async def list_input_items(response_id: str, http: Request, store: Store, holder: Holder) -> Response:
    query = http.query_params
    limit, order = query_number(query, "limit", 20, range(1, 101)), query.get("order")
    if order not in (None, "asc", "desc"):
        raise BadRequest("'order' must be asc or desc.", "order")
    kept = await store.get(response_id, holder)
    return JSONResponse(input_items(kept, limit, newest_first=order != "asc", after=query.get("after")))


@router.post("/v1/responses/{response_id}/cancel")
@router.post("/responses/{response_id}/cancel")
async def cancel_response(response_id: str, store: Store, holder: Holder) -> Response:
    """Only what runs in the background can be cancelled so, and nothing does here."""
    await store.get(response_id, holder)
    raise BadRequest("Only a response that was created with 'background' can be cancelled.", "response_id")


@router.delete("/v1/responses/{response_id}")
@router.delete("/responses/{response_id}")
async def delete_response(response_id: str, store: Store, holder: Holder) -> Response:
    await store.delete(response_id, holder)
    return JSONResponse({"id": response_id, "object": "response", "deleted": True})


async def _conversation(body: ResponsesBody, store: ResponseStore, holder: KeyHolder) -> list[Item]:
    """What was said before, then what is said now. Raises ResponseNotFound."""
    previous = body.previous_response_id
    before = (await store.get(previous, holder)).items if previous else []
    items = items_of(body.input)
    referred = {at: id for at, item in enumerate(items) if (id := reference(item))}
    kept: dict[str, Item] = {}
    for response_id in dict.fromkeys(map(response_of, referred.values())):
        if len(kept) < MAX_ITEMS_KEPT:
            with suppress(ResponseNotFound):
                response = (await store.get(response_id, holder)).response
                kept |= {str(item.get("id")): item for item in outputs(response)}
    for at, id in referred.items():
        if id not in kept:
            raise BadRequest(f"'input[{at}]' refers to an item that is not kept here.", f"input[{at}]")
    return [*before, *(kept[referred[at]] if at in referred else item for at, item in enumerate(items))]
