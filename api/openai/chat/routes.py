"""OpenAI's routes. Thin: read, translate, ask, write. Some tools are given the address without /v1."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.deps import read_body
from api.errors import ModelNotFound
from api.openai.chat.answer import ChatChunkWriter, ResponseMeta, ResponseOptions, completion
from api.openai.chat.request import chat_requests
from api.openai.chat.schemas import ChatCompletionBody
from api.openai.completions.answer import CompletionResponseOptions, CompletionWriter, text_completion
from api.openai.completions.request import Prompt, check, completion_requests, n_generated, prompts_of
from api.openai.completions.schemas import CompletionBody, EmbeddingsBody
from api.openai.embeddings import embed_request, embedding_list
from api.openai.models import anthropic_list, anthropic_model, embedder_object, model_object
from api.request_context import EmbeddingContextDep, RequestContext, RequestContextDep
from engine.model_queries import ModelQueries

router = APIRouter()


@router.get("/v1/models")
@router.get("/models")
async def list_models(ctx: RequestContextDep) -> Response:
    if "anthropic-version" in ctx.http.headers:
        return JSONResponse(anthropic_list([ctx.model]))
    return JSONResponse({"object": "list", "data": list(_models(ctx).values())})


@router.get("/v1/models/{name:path}")
async def get_model(name: str, ctx: RequestContextDep) -> Response:
    found = _models(ctx).get(name)
    if found is None:
        raise ModelNotFound(name)
    is_anthropic = "anthropic-version" in ctx.http.headers and name == ctx.model.id
    return JSONResponse(anthropic_model(ctx.model) if is_anthropic else found)


def _models(ctx: RequestContext) -> dict[str, dict[str, object]]:
    """By their ids: the chat model, and the one that embeds."""
    found = {ctx.model.id: model_object(ctx.model)}
    embedder = ctx.engine.status.embedder
    if embedder is not None:
        found.setdefault(embedder.id, embedder_object(embedder, ctx.model.loaded_at))
    return found


@router.post("/v1/chat/completions")
@router.post("/chat/completions")
async def create_chat_completion(ctx: RequestContextDep) -> Response:
    body = await ctx.read(ChatCompletionBody)
    ctx.check_model(body.model)
    requests = chat_requests(body, ctx.request_id)
    head = ResponseMeta(f"chatcmpl-{requests[0].id}", ctx.now, ctx.model.id)
    include_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
    manner = ResponseOptions(
        include_usage,
        len(requests),
        logprobs=bool(body.logprobs),
        legacy_call=body.functions is not None,
        timings_per_token=bool(body.timings_per_token),
    )
    if body.stream:
        writer = ChatChunkWriter(head, manner, lambda place: ctx.engine.progress(requests[place].id))
        return ctx.stream(requests, writer, report=writer.report if body.return_progress else None)
    answers = await ctx.collect(requests)
    return ctx.reply(completion(head, answers, manner), answers)


@router.post("/v1/completions")
@router.post("/completions")
async def create_completion(ctx: RequestContextDep) -> Response:
    body = await ctx.read(CompletionBody)
    ctx.check_model(body.model)
    prompts = prompts_of("" if body.prompt is None else body.prompt, "prompt")
    check(body, prompts)
    if body.suffix:
        read: list[Prompt] = list(await _gap_prompts(ctx, prompts, body.suffix))
    else:
        read = prompts
    request_id = ctx.request_id
    requests = completion_requests(body, read, request_id)
    manner = CompletionResponseOptions(
        n=body.n or 1,
        n_generated=n_generated(body),
        echoes=tuple([await _text(ctx, prompt) for prompt in prompts]) if body.echo else None,
        logprobs=body.logprobs is not None,
        silent=body.max_tokens == 0,
        include_usage=body.stream_options is not None and bool(body.stream_options.include_usage),
    )
    head = ResponseMeta(f"cmpl-{request_id}", ctx.now, ctx.model.id)
    if body.stream:
        return ctx.stream(requests, CompletionWriter(head, manner, len(prompts)))
    answers = await ctx.collect(requests)
    return ctx.reply(text_completion(head, answers, manner), answers)


async def _gap_prompts(ctx: RequestContext, prompts: Sequence[Prompt], suffix: str) -> Sequence[Prompt]:
    async def ask(questions: ModelQueries) -> list[Prompt]:
        return [await questions.fim_prompt(str(prompt), suffix) for prompt in prompts]

    return await ctx.query(ask, answer_follows=True)


async def _text(ctx: RequestContext, prompt: Prompt) -> str:
    if isinstance(prompt, str):
        return prompt
    pieces = await ctx.query(lambda questions: questions.pieces(prompt), answer_follows=True)
    return b"".join(pieces).decode("utf-8", "replace")


@router.post("/v1/chat/completions/input_tokens")
@router.post("/chat/completions/input_tokens")
async def count_chat_tokens(ctx: RequestContextDep) -> Response:
    """llama.cpp's way to ask how long a prompt would be."""
    body = await ctx.read_query(ChatCompletionBody)
    ctx.check_model(body.model)
    request = chat_requests(body, ctx.request_id)[0]
    n_tokens = await ctx.query(lambda queries: queries.count_tokens(request))
    return JSONResponse({"object": "response.input_tokens", "input_tokens": n_tokens})


@router.post("/v1/embeddings")
@router.post("/embeddings")
async def create_embeddings(ctx: EmbeddingContextDep) -> Response:
    body = await read_body(ctx.http, EmbeddingsBody)
    ctx.check_model(body.model)
    request = embed_request(body, takes_tokens=ctx.settings.token_embeddings, request_id=ctx.request_id)
    return JSONResponse(embedding_list(ctx.model, await ctx.embed(request), body.encoding_format))
