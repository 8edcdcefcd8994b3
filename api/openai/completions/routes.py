"""Routes of completions. They also exist without /v1, because some clients omit it."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from api.fields.prompts import Prompt, parse_prompts
from api.openai.chat.answer import ResponseMeta
from api.openai.completions.answer import CompletionChunkWriter, CompletionResponseOptions, text_completion
from api.openai.completions.request import check, completion_requests
from api.openai.completions.schemas import CompletionBody
from api.request_context import RequestContext, RequestContextDep
from engine.chat_engine import Queries

router = APIRouter()


@router.post("/v1/completions")
@router.post("/completions")
async def create_completion(ctx: RequestContextDep) -> Response:
    """Continues a text, or fills the gap between a text and a `suffix`."""
    body = await ctx.read(CompletionBody)
    ctx = await ctx.choose(body.model)
    prompts = parse_prompts("" if body.prompt is None else body.prompt, "prompt")
    check(body, prompts)
    texts = prompts if not body.suffix else await _fim_prompts(ctx, prompts, body.suffix)
    requests = completion_requests(body, texts, ctx.request_id)
    options = CompletionResponseOptions(
        n=body.n or 1,
        n_generated=body.n_generated,
        echoes=tuple([await _text(ctx, prompt) for prompt in prompts]) if body.echo else None,
        logprobs=body.logprobs is not None,
        prompt_only=body.max_tokens == 0,
        include_usage=body.stream_options is not None and bool(body.stream_options.include_usage),
    )
    meta = ResponseMeta(f"cmpl-{ctx.request_id}", ctx.now, ctx.model.id)
    if body.stream:
        return ctx.stream(requests, CompletionChunkWriter(meta, options, len(prompts)))
    answers = await ctx.collect(requests)
    return ctx.reply(text_completion(meta, answers, options), answers)


async def _fim_prompts(ctx: RequestContext, prompts: Sequence[Prompt], suffix: str) -> list[Prompt]:
    """Returns fill-in-the-middle prompts for the gap between each prompt and `suffix`."""

    async def query(queries: Queries) -> list[Prompt]:
        return [await queries.fim_prompt(str(prompt), suffix) for prompt in prompts]

    return await ctx.query(query, answer_follows=True)


async def _text(ctx: RequestContext, prompt: Prompt) -> str:
    if isinstance(prompt, str):
        return prompt
    pieces = await ctx.query(lambda queries: queries.pieces(prompt), answer_follows=True)
    return b"".join(pieces).decode("utf-8", "replace")
