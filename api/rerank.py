"""Reranking: bodies, answers and routes in the format of Jina, Cohere and llama.cpp (with `documents`), and in that of
Text Embeddings Inference (with `texts`)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.body import Body, Count
from api.errors import BadRequest, ModelNotAllowed, ModelNotFound
from api.request_context import EmbeddingContext, EmbeddingContextDep, read_body, reranker_of
from api.request_record import ModelNames, holder_of
from engine.chat_engine import Reranker
from engine.errors import Unsupported
from engine.events import Scores
from engine.requests import RerankRequest

router = APIRouter()

MAX_DOCUMENTS = 1000
"""Maximum number of documents in one request."""


class RerankBody(Body):
    """Body of a reranking request. `parse_documents` parses `documents` and `texts`."""

    model: str | None = None
    query: str
    documents: list[object] | None = None
    top_n: Count | None = None
    return_documents: bool | None = None
    texts: list[object] | None = None
    """This field and the next three are those of Text Embeddings Inference."""
    raw_scores: bool | None = None
    return_text: bool | None = None
    truncate: bool | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    index: int
    score: float


@router.post("/v1/rerank")
@router.post("/v1/reranking")
@router.post("/v2/rerank")
@router.post("/rerank")
@router.post("/reranking")
async def rerank(ctx: EmbeddingContextDep) -> Response:
    """Scores documents by how well they answer a query."""
    body = await read_body(ctx.http, RerankBody)
    request = rerank_request(body, ctx.request_id)
    model, scores = await _scores(ctx, body.model, request)
    if body.texts is not None:
        return JSONResponse(tei_answer(body, request.documents, scores))
    return JSONResponse(answer(body, request.documents, scores, model))


async def _scores(ctx: EmbeddingContext, name: str | None, request: RerankRequest) -> tuple[str, Scores]:
    """Returns the id of the reranking model, and its scores. A model of a connection is chosen by its
    name. Raises Unsupported if there is no reranking model."""
    loaded = reranker_of(ctx.engine.status)
    source = ctx.router.find(ctx.router.real_name(name))
    if source is not None and source.place:
        ctx = await ctx.choose(name)
        id = ctx.model
    elif loaded is not None:
        id = loaded.id
        if ctx.settings.unknown_model == "404" and name is not None and ctx.router.real_name(name) != id:
            raise ModelNotFound(name)
    else:
        raise Unsupported("reranking")
    engine, http = ctx.engine, ctx.http
    if not isinstance(engine, Reranker):
        raise Unsupported("reranking")
    if not holder_of(http.scope).may_use(id):
        raise ModelNotAllowed(id)
    scores = await ctx.activity.query(
        request.id, lambda: engine.rerank(request), http.scope, http.receive, names=ModelNames(id, ctx.host)
    )
    return id, scores


def rerank_request(body: RerankBody, request_id: str) -> RerankRequest:
    """Translates the body. Documents that are too long are truncated, except those in `texts` unless `truncate` asks
    for it. Raises BadRequest."""
    if (body.documents is None) == (body.texts is None):
        raise BadRequest("Send either 'documents' or 'texts'.", "documents")
    is_tei = body.texts is not None
    documents = parse_documents(body.texts if is_tei else body.documents, "texts" if is_tei else "documents")
    truncate = bool(body.truncate) if is_tei else body.truncate is not False
    return RerankRequest(body.query, documents, "endpoint", request_id, truncate)


def parse_documents(values: list[object] | None, field: str) -> tuple[str, ...]:
    """Returns the texts of documents, each of which is a text or an object with `text`. Raises BadRequest."""
    if not values:
        raise BadRequest(f"'{field}' must be a list of at least one text.", field)
    if len(values) > MAX_DOCUMENTS:
        raise BadRequest(f"'{field}' has {len(values)} documents; at most {MAX_DOCUMENTS} are accepted.", field)
    return tuple(_text_of(value, field) for value in values)


def _text_of(value: object, field: str) -> str:
    text = value.get("text") if isinstance(value, dict) else value
    if not isinstance(text, str):
        raise BadRequest(f"'{field}' must contain texts, or objects with a 'text'.", field)
    return text


def ranked(scores: Scores, top_n: int | None = None) -> list[Ranked]:
    """The best documents, the best one first."""
    found = sorted(map(Ranked, range(len(scores.values)), scores.values), key=lambda each: -each.score)
    return found[:top_n]


def answer(body: RerankBody, documents: tuple[str, ...], scores: Scores, model: str) -> dict[str, object]:
    results: list[dict[str, object]] = []
    for each in ranked(scores, body.top_n):
        result: dict[str, object] = {"index": each.index, "relevance_score": each.score}
        if body.return_documents:
            result["document"] = {"text": documents[each.index]}
        results.append(result)
    return {
        "model": model,
        "object": "list",
        "results": results,
        "usage": {"prompt_tokens": scores.n_prompt, "total_tokens": scores.n_prompt},
    }


def tei_answer(body: RerankBody, documents: tuple[str, ...], scores: Scores) -> list[dict[str, object]]:
    """Scores are logits, unless `raw_scores` is false: then they are probabilities."""
    as_probability = body.raw_scores is False and not scores.are_probabilities
    return [
        {
            "index": each.index,
            "score": probability(each.score) if as_probability else each.score,
            **({"text": documents[each.index]} if body.return_text else {}),
        }
        for each in ranked(scores, body.top_n)
    ]


def probability(logit: float) -> float:
    """The logistic function, without overflow."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    return math.exp(logit) / (1 + math.exp(logit))
