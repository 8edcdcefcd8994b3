"""The routes of llama.cpp's server."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.body import parse_body
from api.errors import BadRequest, NoSlotFree, OwnKeyNeeded
from api.fields.adapters import check_scales, scales
from api.fields.prompts import MAX_ANSWERS, Prompt
from api.llama_cpp.answer import LlamaChunkWriter, LlamaResponseOptions, completion, token_pieces
from api.llama_cpp.props import adapter_list, adapters_of, props_object, slot_list
from api.llama_cpp.request import completion_prompts, completion_request, infill_context
from api.llama_cpp.schemas import (
    AdapterScales,
    DetokenizeBody,
    InfillBody,
    LlamaBody,
    LlamaCompletionBody,
    TokenizeBody,
)
from api.openai.chat.request import chat_request
from api.openai.chat.schemas import ChatCompletionBody
from api.request_context import ActivityDep, KeyHolderDep, RequestContext, RequestContextDep, known_props
from engine.chat_engine import HasAdapters, Queries
from engine.errors import Unsupported

router = APIRouter()


@router.get("/props")
async def get_props(ctx: RequestContextDep) -> Response:
    """Returns the properties of the model, or of the one that the query names."""
    found = await ctx.describe(ctx.http.query_params.get("model"))
    return JSONResponse(props_object(found, ctx.activity.totals.drafts.values()))


@router.get("/slots")
async def get_slots(ctx: RequestContextDep, holder: KeyHolderDep) -> Response:
    """Describes each slot and the request in it."""
    ctx = await ctx.choose(None)
    props = await known_props(ctx.engine.queries)
    visible_ids = {view.id for view in ctx.activity.views(holder)}
    slots = slot_list(props, ctx.model.n_ctx, ctx.activity.requests, visible_ids)
    if ctx.http.query_params.get("fail_on_no_slot") and all(slot["is_processing"] for slot in slots):
        raise NoSlotFree
    return JSONResponse(slots)


@router.get("/metrics")
async def get_metrics(activity: ActivityDep, holder: KeyHolderDep) -> Response:
    """Returns metrics for Prometheus."""
    # Imported here, because importing prometheus_client is slow and most endpoints never serve metrics.
    from api.llama_cpp.metrics import CONTENT_TYPE_LATEST, exposition

    return Response(exposition(activity, holder), media_type=CONTENT_TYPE_LATEST)


@router.get("/lora-adapters")
async def get_adapters(ctx: RequestContextDep) -> Response:
    """Lists the model's LoRA adapters, with the scales of requests that set none."""
    return JSONResponse(adapter_list(ctx.model))


@router.post("/lora-adapters")
async def set_adapter_scales(ctx: RequestContextDep, holder: KeyHolderDep) -> Response:
    """Sets the scales of later requests that set none. Needs the endpoint's own key."""
    if not holder.sees_all:
        raise OwnKeyNeeded
    wanted = scales(parse_body(await ctx.http.body(), AdapterScales).root)
    if not isinstance(ctx.engine, HasAdapters):
        raise Unsupported("LoRA adapters")
    check_scales(wanted, len(adapters_of(ctx.model)))
    ctx.engine.set_adapter_scales(wanted)
    return JSONResponse({"success": True})


@router.post("/tokenize")
async def tokenize(ctx: RequestContextDep) -> Response:
    """Tokenizes a text."""
    body = await ctx.read_query(TokenizeBody)
    ctx = await ctx.choose(body.model)

    async def query(queries: Queries) -> Sequence[object]:
        tokens = await queries.tokenize(
            body.content, add_special=bool(body.add_special), parse_special=body.parse_special is not False
        )
        return token_pieces(tokens, await queries.pieces(tokens)) if body.with_pieces else tokens

    return JSONResponse({"tokens": await ctx.query(query)})


@router.post("/detokenize")
async def detokenize(ctx: RequestContextDep) -> Response:
    """Returns the text of a list of tokens."""
    body = await ctx.read_query(DetokenizeBody)
    ctx = await ctx.choose(body.model)
    pieces = await ctx.query(lambda queries: queries.pieces(body.tokens))
    return JSONResponse({"content": b"".join(pieces).decode("utf-8", "replace")})


@router.post("/apply-template")
async def apply_template(ctx: RequestContextDep) -> Response:
    """Returns the prompt that the chat template makes of a conversation."""
    body = await ctx.read_query(ChatCompletionBody)
    ctx = await ctx.choose(body.model)
    request = chat_request(body, ctx.request_id)
    return JSONResponse({"prompt": await ctx.query(lambda queries: queries.render(request))})


@router.post("/infill")
async def infill(ctx: RequestContextDep) -> Response:
    """Generates the text for a gap between two texts, for editors."""
    body = await ctx.read_query(InfillBody)
    ctx = await ctx.choose(body.model)
    context, start = infill_context(body), body.prompt or ""
    prompt = await ctx.query(
        lambda queries: queries.fim_prompt(body.input_prefix, body.input_suffix, context=context, start=start),
        answer_follows=True,
    )
    return await _answer(ctx, body, [prompt])


@router.post("/completion")
async def create_completion(ctx: RequestContextDep) -> Response:
    """Continues a text."""
    body = await ctx.read(LlamaCompletionBody)
    ctx = await ctx.choose(body.model)
    return await _answer(ctx, body, completion_prompts(body.prompt))


async def _answer(ctx: RequestContext, body: LlamaBody, prompts: Sequence[Prompt]) -> Response:
    """Answers a request with one prompt by an object, and a request with several prompts by a list of objects."""
    if len(prompts) > MAX_ANSWERS:
        raise BadRequest(f"'prompt' holds more than {MAX_ANSWERS} prompts.", "prompt")
    ids = [f"{ctx.request_id}-{index}" if index else ctx.request_id for index in range(len(prompts))]
    requests = [completion_request(body, prompt, id) for prompt, id in zip(prompts, ids, strict=True)]
    options = LlamaResponseOptions.of(ctx.model.id, body, requests[0])
    if body.stream:
        writer = LlamaChunkWriter(options, lambda index: ctx.engine.progress(requests[index].id))
        return ctx.stream(requests, writer)
    answers = await ctx.collect(requests)
    objects = [completion(options, answer, index) for index, answer in enumerate(answers)]
    return ctx.reply(objects if len(objects) > 1 else objects[0], answers)
