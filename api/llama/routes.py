"""The routes of llama.cpp's own server. Thin: read, translate, ask, write."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.deps import Holder, Requests
from api.desk import AtDesk, Desk
from api.errors import BadRequest, NoSlotFree
from api.llama import translate
from api.llama.answer import CompletionOptions, CompletionWriter, completion
from api.llama.schemas import DetokenizeBody, InfillBody, LlamaBody, LlamaCompletionBody, TokenizeBody
from api.openai.chat_body import ChatCompletionBody
from api.openai.chat_request import chat_requests
from api.openai.completion_request import MAX_ANSWERS, Prompt
from engine.questions import Questions

router = APIRouter()


@router.get("/props")
async def get_props(desk: AtDesk) -> Response:
    return JSONResponse(translate.props(desk.model, await desk.engine.ask.card()))


@router.get("/slots")
async def get_slots(desk: AtDesk, holder: Holder) -> Response:
    card = await desk.engine.ask.card()
    shown_ids = {call.id for call in desk.activity.calls_of(holder)}
    found = translate.slots(card.n_running, desk.model.n_ctx, desk.activity.requests, shown_ids)
    if desk.http.query_params.get("fail_on_no_slot") and all(slot["is_processing"] for slot in found):
        raise NoSlotFree
    return JSONResponse(found)


@router.get("/metrics")
async def get_metrics(requests: Requests, holder: Holder) -> Response:
    # Most who run an endpoint never ask for this, and it takes a while to import.
    from api.llama.metrics import CONTENT_TYPE_LATEST, exposition

    return Response(exposition(requests, holder), media_type=CONTENT_TYPE_LATEST)


@router.post("/tokenize")
async def tokenize(desk: AtDesk) -> Response:
    body = await desk.read_query(TokenizeBody)

    async def ask(questions: Questions) -> Sequence[object]:
        tokens = await questions.tokenize(
            body.content, add_special=bool(body.add_special), parse_special=body.parse_special is not False
        )
        return translate.pieces(tokens, await questions.pieces(tokens)) if body.with_pieces else tokens

    return JSONResponse({"tokens": await desk.query(ask)})


@router.post("/detokenize")
async def detokenize(desk: AtDesk) -> Response:
    body = await desk.read_query(DetokenizeBody)
    pieces = await desk.query(lambda questions: questions.pieces(body.tokens))
    return JSONResponse({"content": b"".join(pieces).decode("utf-8", "replace")})


@router.post("/apply-template")
async def apply_template(desk: AtDesk) -> Response:
    body = await desk.read_query(ChatCompletionBody)
    request = chat_requests(body, desk.request_id)[0]
    return JSONResponse({"prompt": await desk.query(lambda questions: questions.render(request))})


@router.post("/infill")
async def infill(desk: AtDesk) -> Response:
    body = await desk.read_query(InfillBody)
    context, start = translate.infill_context(body), body.prompt or ""
    gap_prompt = await desk.query(
        lambda questions: questions.gap_prompt(body.input_prefix, body.input_suffix, context=context, start=start),
        is_first_step=True,
    )
    return await _answer(desk, body, [gap_prompt])


@router.post("/completion")
async def create_completion(desk: AtDesk) -> Response:
    body = await desk.read(LlamaCompletionBody)
    return await _answer(desk, body, translate.prompts(body.prompt))


async def _answer(desk: Desk, body: LlamaBody, prompts: Sequence[Prompt]) -> Response:
    """One object for one prompt, a list for several."""
    if len(prompts) > MAX_ANSWERS:
        raise BadRequest(f"'prompt' holds more than {MAX_ANSWERS} prompts.", "prompt")
    ids = [f"{desk.request_id}-{place}" if place else desk.request_id for place in range(len(prompts))]
    requests = [translate.completion_request(body, *each) for each in zip(prompts, ids, strict=True)]
    options = CompletionOptions.of(desk.model.id, body, requests[0])
    if body.stream:
        writer = CompletionWriter(options, lambda place: desk.engine.progress(requests[place].id))
        return desk.stream(requests, writer, report=writer.report if body.return_progress else None)
    answers = await desk.collect(requests)
    shown = [completion(options, answer, place) for place, answer in enumerate(answers)]
    return desk.reply(shown if len(shown) > 1 else shown[0], answers)
