"""OpenAI's embeddings: body, request, answer and route."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.body import Body, Count
from api.errors import BadRequest, UnsupportedParameter
from api.fields.prompts import parse_prompts
from api.request_context import EmbeddingContextDep, read_body
from engine.events import Embeddings
from engine.requests import EmbedRequest

router = APIRouter()

TOKENS_NOT_ACCEPTED = (
    "'input' contains token numbers, which usually come from another model's tokenizer; send text. "
    "In LangChain that is OpenAIEmbeddings(check_embedding_ctx_length=False)."
)


class EmbeddingsBody(Body):
    """Body of an embedding request. `parse_prompts` parses `input`."""

    model: str | None = None
    input: object
    encoding_format: str | None = None
    dimensions: Count | None = None


@router.post("/v1/embeddings")
@router.post("/embeddings")
async def create_embeddings(ctx: EmbeddingContextDep) -> Response:
    """Computes vectors for texts."""
    body = await read_body(ctx.http, EmbeddingsBody)
    ctx = await ctx.choose(body.model)
    request = embed_request(body, accepts_tokens=ctx.settings.token_embeddings, request_id=ctx.request_id)
    return JSONResponse(embedding_list(ctx.model, await ctx.embed(request), body.encoding_format))


def embed_request(body: EmbeddingsBody, *, accepts_tokens: bool, request_id: str) -> EmbedRequest:
    """Translates the body. `accepts_tokens`: whether lists of numbers are accepted. The numbers are token ids of the
    embedding model.

    Raises BadRequest, UnsupportedParameter."""
    if body.encoding_format not in (None, "float", "base64"):
        raise BadRequest("'encoding_format' must be float or base64.", "encoding_format")
    inputs = parse_prompts(body.input, "input")
    if not accepts_tokens and not all(isinstance(each, str) for each in inputs):
        raise UnsupportedParameter("input", TOKENS_NOT_ACCEPTED)
    if not all(inputs):
        raise BadRequest("'input' holds an empty text.", "input")
    return EmbedRequest(tuple(inputs), "endpoint", body.dimensions, request_id)


def embedding_list(model: str, embeddings: Embeddings, encoding_format: str | None) -> dict[str, object]:
    encode = packed if encoding_format == "base64" else list
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": encode(vector)}
            for index, vector in enumerate(embeddings.vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": embeddings.n_prompt, "total_tokens": embeddings.n_prompt},
    }


def packed(vector: Sequence[float]) -> str:
    """Encodes a vector as 32-bit little-endian floats in base64."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
