"""OpenAI's routes. Thin: read, translate, ask, write. Some tools are given the address without /v1."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.deps import read_body
from api.desk import AtDesk, AtEmbeddingDesk, Desk
from api.errors import ModelUnknown
from api.openai.chat_answer import ChunkWriter, Head, Manner, completion
from api.openai.chat_body import ChatCompletionBody
from api.openai.chat_request import chat_requests
from api.openai.completion_answer import CompletionManner, CompletionWriter, text_completion
from api.openai.completion_body import CompletionBody, EmbeddingsBody
from api.openai.completion_request import Prompt, check, completion_requests, n_drawn, prompts_of
from api.openai.embeddings import embed_request, embedding_list
from api.openai.models import anthropic_list, anthropic_model, embedder_object, model_object
from engine.questions import Questions

router = APIRouter()


@router.get("/v1/models")
@router.get("/models")
async def list_models(desk: AtDesk) -> Response:
    if "anthropic-version" in desk.http.headers:
        return JSONResponse(anthropic_list([desk.model]))
    return JSONResponse({"object": "list", "data": list(_models(desk).values())})


@router.get("/v1/models/{name:path}")
async def get_model(name: str, desk: AtDesk) -> Response:
    found = _models(desk).get(name)
    if found is None:
        raise ModelUnknown(name)
    is_anthropic = "anthropic-version" in desk.http.headers and name == desk.model.id
    return JSONResponse(anthropic_model(desk.model) if is_anthropic else found)


def _models(desk: Desk) -> dict[str, dict[str, object]]:
    """By their ids: the chat model, and the one that embeds."""
    found = {desk.model.id: model_object(desk.model)}
    embedder = desk.engine.status.embedder
    if embedder is not None:
        found.setdefault(embedder.id, embedder_object(embedder, desk.model.loaded_at))
    return found


@router.post("/v1/chat/completions")
@router.post("/chat/completions")
async def create_chat_completion(desk: AtDesk) -> Response:
    body = await desk.read(ChatCompletionBody)
    desk.check_model(body.model)
    requests = chat_requests(body, desk.request_id)
    head = Head(f"chatcmpl-{requests[0].id}", desk.now, desk.model.id)
    include_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
    manner = Manner(include_usage, len(requests), bool(body.logprobs), body.functions is not None)
    if body.stream:
        return desk.stream(requests, ChunkWriter(head, manner))
    answers = await desk.collect(requests)
    return desk.reply(completion(head, answers, manner), answers)


@router.post("/v1/completions")
@router.post("/completions")
async def create_completion(desk: AtDesk) -> Response:
    body = await desk.read(CompletionBody)
    desk.check_model(body.model)
    prompts = prompts_of("" if body.prompt is None else body.prompt, "prompt")
    check(body, prompts)
    if body.suffix:
        read: list[Prompt] = list(await _gap_prompts(desk, prompts, body.suffix))
    else:
        read = prompts
    request_id = desk.request_id
    requests = completion_requests(body, read, request_id)
    manner = CompletionManner(
        n=body.n or 1,
        n_drawn=n_drawn(body),
        echoes=tuple([await _text(desk, prompt) for prompt in prompts]) if body.echo else None,
        logprobs=body.logprobs is not None,
        silent=body.max_tokens == 0,
        include_usage=body.stream_options is not None and bool(body.stream_options.include_usage),
    )
    head = Head(f"cmpl-{request_id}", desk.now, desk.model.id)
    if body.stream:
        return desk.stream(requests, CompletionWriter(head, manner, len(prompts)))
    answers = await desk.collect(requests)
    return desk.reply(text_completion(head, answers, manner), answers)


async def _gap_prompts(desk: Desk, prompts: Sequence[Prompt], suffix: str) -> Sequence[Prompt]:
    async def ask(questions: Questions) -> list[Prompt]:
        return [await questions.gap_prompt(str(prompt), suffix) for prompt in prompts]

    return await desk.query(ask, is_first_step=True)


async def _text(desk: Desk, prompt: Prompt) -> str:
    if isinstance(prompt, str):
        return prompt
    pieces = await desk.query(lambda questions: questions.pieces(prompt), is_first_step=True)
    return b"".join(pieces).decode("utf-8", "replace")


@router.post("/v1/chat/completions/input_tokens")
@router.post("/chat/completions/input_tokens")
async def count_chat_tokens(desk: AtDesk) -> Response:
    """llama.cpp's way to ask how long a prompt would be."""
    body = await desk.read_query(ChatCompletionBody)
    desk.check_model(body.model)
    request = chat_requests(body, desk.request_id)[0]
    n_tokens = await desk.query(lambda questions: questions.count(request))
    return JSONResponse({"object": "response.input_tokens", "input_tokens": n_tokens})


@router.post("/v1/embeddings")
@router.post("/embeddings")
async def create_embeddings(desk: AtEmbeddingDesk) -> Response:
    body = await read_body(desk.http, EmbeddingsBody)
    desk.check_model(body.model)
    request = embed_request(body, takes_tokens=desk.settings.token_embeddings, request_id=desk.request_id)
    return JSONResponse(embedding_list(desk.model, await desk.embed(request), body.encoding_format))
