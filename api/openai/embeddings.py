"""Embeddings, both ways. Pure: ids come from outside."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence

from api.errors import BadRequest, UnsupportedParameter
from api.openai.completions.request import prompts_of
from api.openai.completions.schemas import EmbeddingsBody
from engine.events import Embeddings
from engine.requests import EmbedRequest

FOREIGN_TOKENS = (
    "'input' holds token numbers, which mostly come from another model's tokenizer; send text. "
    "In LangChain that is OpenAIEmbeddings(check_embedding_ctx_length=False)."
)


def embed_request(body: EmbeddingsBody, *, takes_tokens: bool, request_id: str) -> EmbedRequest:
    """`takes_tokens`: lists of numbers are this model's own tokens. Raises BadRequest, UnsupportedParameter."""
    if body.encoding_format not in (None, "float", "base64"):
        raise BadRequest("'encoding_format' must be float or base64.", "encoding_format")
    inputs = prompts_of(body.input, "input")
    if not takes_tokens and not all(isinstance(each, str) for each in inputs):
        raise UnsupportedParameter("input", FOREIGN_TOKENS)
    if not all(inputs):
        raise BadRequest("'input' holds an empty text.", "input")
    return EmbedRequest(tuple(inputs), "endpoint", body.dimensions, request_id)


def embedding_list(model: str, found: Embeddings, encoding_format: str | None) -> dict[str, object]:
    encode = packed if encoding_format == "base64" else list
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": encode(vector)}
            for index, vector in enumerate(found.vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": found.n_prompt, "total_tokens": found.n_prompt},
    }


def packed(vector: Sequence[float]) -> str:
    """32-bit floats, the low byte first, in base64."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
