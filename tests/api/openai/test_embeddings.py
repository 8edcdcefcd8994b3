"""Embeddings, both ways."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from api.errors import BadRequest, NotKept
from api.openai.completion_body import EmbeddingsBody
from api.openai.embeddings import embed_request, embedding_list
from engine.events import Embeddings
from engine.requests import EmbedRequest

FOUND = Embeddings(((0.5, -0.25), (1.0, 0.0)), 7)


def asked(takes_tokens: bool = False, **fields: Any) -> EmbedRequest:
    body = EmbeddingsBody.model_validate_json(json.dumps(fields))
    return embed_request(body, takes_tokens=takes_tokens, request_id="1")


def test_texts() -> None:
    assert asked(input="a") == EmbedRequest(("a",), "endpoint", None, "1")
    assert asked(input=["a", "b"], dimensions=8, encoding_format="base64", user="me") == EmbedRequest(
        ("a", "b"), "endpoint", 8, "1"
    )


def test_tokens_only_where_they_are_meant_to_be_the_models_own() -> None:
    for given in ([1, 2], [[1, 2], [3]]):
        with pytest.raises(NotKept) as caught:
            asked(input=given)
        assert "check_embedding_ctx_length=False" in caught.value.message
    assert asked(takes_tokens=True, input=[[1, 2], [3]]).inputs == ((1, 2), (3,))


@pytest.mark.parametrize("fields", [{"input": ""}, {"input": ["a", ""]}, {"input": "a", "encoding_format": "int8"}])
def test_what_cannot_be_embedded(fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        asked(**fields)


def test_as_numbers() -> None:
    assert json.dumps(embedding_list("alias", FOUND, None)) == (
        '{"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}, '
        '{"object": "embedding", "index": 1, "embedding": [1.0, 0.0]}], "model": "alias", '
        '"usage": {"prompt_tokens": 7, "total_tokens": 7}}'
    )


def test_as_bytes() -> None:
    shown = json.loads(json.dumps(embedding_list("alias", FOUND, "base64")))
    assert struct.unpack("<2f", base64.b64decode(shown["data"][0]["embedding"])) == (0.5, -0.25)
