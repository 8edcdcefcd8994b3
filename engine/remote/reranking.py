"""Reranking by a model on another server, through `/v1/rerank` as Jina, Cohere, vLLM and llama.cpp have it."""

from __future__ import annotations

import math

from engine.errors import ServerFailed
from engine.events import Scores
from engine.remote.client import ConnectionClient
from engine.remote.untrusted_json import JsonObject, count_in, object_in, objects_in
from engine.requests import RerankRequest

TIMEOUT_S = 600.0


async def scores_by(client: ConnectionClient, model: str, request: RerankRequest) -> Scores:
    """Scores documents with one model. Remote thread only. Raises the errors of the connection; ServerFailed also if
    the server does not rank."""
    body: JsonObject = {"model": model, "query": request.query, "documents": list(request.documents)}
    reply = await client.post(client.api("/rerank"), body, timeout_s=TIMEOUT_S, request_id=request.id)
    return read_scores(reply, len(request.documents), client.host)


def read_scores(reply: JsonObject, n_documents: int, host: str) -> Scores:
    """Reads the answer, whose results have any order. Raises ServerFailed if a document has no score."""
    scores: dict[int, float] = {}
    for result in objects_in(reply, "results"):
        index, score = result.get("index"), result.get("relevance_score")
        if type(index) is int and isinstance(score, int | float) and abs(score) < 1e300 and math.isfinite(score):
            scores[index] = float(score)
    if any(at not in scores for at in range(n_documents)):
        raise ServerFailed(host, "its scores cannot be read", 200)
    usage = object_in(reply, "usage")
    n_prompt = count_in(usage, "prompt_tokens") or count_in(usage, "total_tokens")
    return Scores(tuple(scores[at] for at in range(n_documents)), n_prompt)
