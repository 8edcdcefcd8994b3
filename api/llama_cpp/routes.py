"""The routes of llama.cpp's own server. Thin: read, translate, ask, write."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.deps import Holder, Requests
from api.errors import BadRequest, NoSlotFree
from api.llama_cpp import request
from api.llama_cpp.answer import CompletionOptions, CompletionWriter, completion
from api.llama_cpp.schemas import DetokenizeBody, InfillBody, LlamaBody, LlamaCompletionBody, TokenizeBody
from api.openai.chat.request import chat_requests
from api.openai.chat.schemas import ChatCompletionBody
from api.openai.completions.request import MAX_ANSWERS, Prompt
from api.request_context import RequestContext, RequestContextDep
from engine.model_queries import ModelQueries

router = APIRouter()


@router.get("/props")
async def get_props(ctx: RequestContextDep) -> Response:
    return JSONResponse(request.props(ctx.model, await ctx.engine.queries.props()))


@router.get("/slots")
async def get_slots(ctx: RequestContextDep, holder: Holder) -> Response:
    card = await ctx.engine.queries.props()
    shown_ids = {call.id for call in ctx.activity.calls_of(holder)}
    found = request.slots(card.n_running, ctx.model.n_ctx, ctx.activity.requests, shown_ids)
    if ctx.http.query_params.get("fail_on_no_slot") and all(slot["is_processing"] for slot in found):
        raise NoSlotFree
    return JSONResponse(found)


@router.get("/metrics")
async def get_metrics(requests: Requests, holder: Holder) -> Response:
    # Most who run an endpoint never ask for this, and it takes a while to import.
    from api.llama_cpp.metrics import CONTENT_TYPE_LATEST, exposition

    return Response(exposition(requests, holder), media_type=CONTENT_TYPE_LATEST)


@router.post("/tokenize")
async def tokenize(ctx: RequestContextDep) -> Response:
    body = await ctx.read_query(TokenizeBody)

    async def ask(questions: ModelQueries) -> Sequence[object]:
        tokens = await questions.tokenize(
            body.content, add_special=bool(body.add_special), parse_special=body.parse_special is not False
        )
        return request.pieces(tokens, await questions.pieces(tokens)) if body.with_pieces else tokens

    return JSONResponse({"tokens": await ctx.query(ask)})


@router.post("/detokenize")
async def detokenize(ctx: RequestContextDep) -> Response:
    body = await ctx.read_query(DetokenizeBody)
    pieces = await ctx.query(lambda questions: questions.pieces(body.tokens))
    return JSONResponse({"content": b"".join(pieces).decode("utf-8", "replace")})


@router.post("/apply-template")
async def apply_template(ctx: RequestContextDep) -> Response:
    body = await ctx.read_query(ChatCompletionBody)
    request = chat_requests(body, ctx.request_id)[0]
    return JSONResponse({"prompt": await ctx.query(lambda questions: questions.render(request))})


@router.post("/infill")
async def infill(ctx: RequestContextDep) -> Response:
    body = await ctx.read_query(InfillBody)
    context, start = request.infill_context(body), body.prompt or ""
    fim_prompt = await ctx.query(
        lambda questions: questions.fim_prompt(body.input_prefix, body.input_suffix, context=context, start=start),
        answer_follows=True,
    )
    return await _answer(ctx, body, [fim_prompt])


@router.post("/completion")
async def create_completion(ctx: RequestContextDep) -> Response:
    body = await ctx.read(LlamaCompletionBody)
    return await _answer(ctx, body, request.prompts(body.prompt))


async def _answer(ctx: RequestContext, body: LlamaBody, prompts: Sequence[Prompt]) -> Response:
    """One object for one prompt, a list for several."""
    if len(prompts) > MAX_ANSWERS:
        raise BadRequest(f"'prompt' holds more than {MAX_ANSWERS} prompts.", "prompt")
    ids = [f"{ctx.request_id}-{place}" if place else ctx.request_id for place in range(len(prompts))]
    requests = [request.completion_request(body, *each) for each in zip(prompts, ids, strict=True)]
    options = CompletionOptions.of(ctx.model.id, body, requests[0])
    if body.stream:
        writer = CompletionWriter(options, lambda place: ctx.engine.progress(requests[place].id))
        return ctx.stream(requests, writer, report=writer.report if body.return_progress else None)
    answers = await ctx.collect(requests)
    shown = [completion(options, answer, place) for place, answer in enumerate(answers)]
    return ctx.reply(shown if len(shown) > 1 else shown[0], answers)
