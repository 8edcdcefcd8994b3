"""Routes of the responses API. They also exist without /v1, because some clients omit it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api.authentication import KeyHolder
from api.errors import BadRequest, ResponseNotFound
from api.openai.responses.answer import ResponsesEventWriter, ResponsesMeta, whole_response
from api.openai.responses.request import Item, parse_items, responses_request
from api.openai.responses.schemas import ResponsesBody
from api.openai.responses.store import ResponseStore, StoredResponse
from api.openai.responses.stored_response import (
    MAX_EVENTS,
    MAX_REFERENCED_ITEMS,
    input_items,
    output_items,
    query_number,
    reference,
    replay,
    response_id_of,
)
from api.request_context import KeyHolderDep, RequestContextDep
from api.streaming import SSE

router = APIRouter()


async def get_store(request: Request) -> ResponseStore:
    store: ResponseStore = request.app.state.responses
    return store


StoreDep = Annotated[ResponseStore, Depends(get_store)]


@router.post("/v1/responses")
@router.post("/responses")
async def create_response(ctx: RequestContextDep, store: StoreDep, holder: KeyHolderDep) -> Response:
    """Answers a conversation. Later requests may continue the response."""
    body = await ctx.read(ResponsesBody)
    ctx = await ctx.choose(body.model)
    items = await _conversation(body, store, holder)
    request = responses_request(body, items, ctx.request_id)
    stores = body.store is not False and store.is_enabled
    meta = ResponsesMeta(request.id, ctx.now, ctx.model.id, body, request, stores)

    def save(response: Item) -> None:
        output = response["output"]
        if stores and isinstance(output, list):
            response["store"] = store.put(StoredResponse(response, [*items, *output], holder.id))

    if body.stream:
        return ctx.stream([request], ResponsesEventWriter(meta, save), ends_on_thread=stores)
    answers = await ctx.collect([request])
    response = whole_response(meta, answers[0])
    await asyncio.to_thread(save, response)
    return ctx.reply(response, answers)


@router.post("/v1/responses/input_tokens")
@router.post("/responses/input_tokens")
async def count_tokens(ctx: RequestContextDep, store: StoreDep, holder: KeyHolderDep) -> Response:
    """Counts the tokens of a prompt."""
    body = await ctx.read_query(ResponsesBody)
    ctx = await ctx.choose(body.model)
    request = responses_request(body, await _conversation(body, store, holder), ctx.request_id)
    n_tokens = await ctx.query(lambda queries: queries.count_tokens(request))
    return JSONResponse({"object": "response.input_tokens", "input_tokens": n_tokens})


@router.get("/v1/responses/{response_id}")
@router.get("/responses/{response_id}")
async def get_response(response_id: str, http: Request, store: StoreDep, holder: KeyHolderDep) -> Response:
    """Returns a stored response; with `stream=true`, its events."""
    response = (await store.get(response_id, holder)).response
    if http.query_params.get("stream") not in ("true", "1"):
        return JSONResponse(response)
    after = query_number(http.query_params, "starting_after", -1, range(-1, MAX_EVENTS))
    return Response(replay(response, after), media_type=SSE.media_type)


@router.get("/v1/responses/{response_id}/input_items")
@router.get("/responses/{response_id}/input_items")
async def list_input_items(response_id: str, http: Request, store: StoreDep, holder: KeyHolderDep) -> Response:
    """Lists the items of the conversation that precede a stored response."""
    query = http.query_params
    limit, order = query_number(query, "limit", 20, range(1, 101)), query.get("order")
    if order not in (None, "asc", "desc"):
        raise BadRequest("'order' must be asc or desc.", "order")
    stored = await store.get(response_id, holder)
    return JSONResponse(input_items(stored, limit, newest_first=order != "asc", after=query.get("after")))


@router.post("/v1/responses/{response_id}/cancel")
@router.post("/responses/{response_id}/cancel")
async def cancel_response(response_id: str, store: StoreDep, holder: KeyHolderDep) -> Response:
    """Refuses every request: only background responses could be cancelled, and this server has none."""
    await store.get(response_id, holder)
    raise BadRequest("Only a response that was created with 'background' can be cancelled.", "response_id")


@router.delete("/v1/responses/{response_id}")
@router.delete("/responses/{response_id}")
async def delete_response(response_id: str, store: StoreDep, holder: KeyHolderDep) -> Response:
    """Deletes a stored response."""
    await store.delete(response_id, holder)
    return JSONResponse({"id": response_id, "object": "response", "deleted": True})


async def _conversation(body: ResponsesBody, store: ResponseStore, holder: KeyHolder) -> list[Item]:
    """Returns the items of the previous response, then those of `input`. Replaces item references by the stored items.

    Raises BadRequest, ResponseNotFound."""
    previous = body.previous_response_id
    before = (await store.get(previous, holder)).items if previous else []
    items = parse_items(body.input)
    references = {index: id for index, item in enumerate(items) if (id := reference(item))}
    found: dict[str, Item] = {}
    for response_id in dict.fromkeys(map(response_id_of, references.values())):
        if len(found) < MAX_REFERENCED_ITEMS:
            with suppress(ResponseNotFound):
                response = (await store.get(response_id, holder)).response
                found |= {str(item.get("id")): item for item in output_items(response)}
    for index, id in references.items():
        if id not in found:
            raise BadRequest(f"'input[{index}]' refers to an item that is not stored here.", f"input[{index}]")
    return [*before, *(found[references[index]] if index in references else item for index, item in enumerate(items))]
