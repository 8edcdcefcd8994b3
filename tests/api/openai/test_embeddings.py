"""OpenAI's embeddings: first the translation in both directions, then over HTTP."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from api.errors import BadRequest, UnsupportedParameter
from api.openai.embeddings import EmbeddingsBody, embed_request, embedding_list
from engine.events import Embeddings
from engine.requests import EmbedRequest
from tests.api.live_endpoint import Live, live, wait_until
from tests.fakes import FakeOpener, Script

FOUND = Embeddings(((0.5, -0.25), (1.0, 0.0)), 7)


def body(accepts_tokens: bool = False, **fields: Any) -> EmbedRequest:
    body = EmbeddingsBody.model_validate_json(json.dumps(fields))
    return embed_request(body, accepts_tokens=accepts_tokens, request_id="1")


def test_texts_are_translated_to_embed_request() -> None:
    assert body(input="a") == EmbedRequest(("a",), "endpoint", None, "1")
    assert body(input=["a", "b"], dimensions=8, encoding_format="base64", user="me") == EmbedRequest(
        ("a", "b"), "endpoint", 8, "1"
    )


def test_input_of_token_ids_is_accepted_only_if_settings_allow_it() -> None:
    for given in ([1, 2], [[1, 2], [3]]):
        with pytest.raises(UnsupportedParameter) as caught:
            body(input=given)
        assert "check_embedding_ctx_length=False" in caught.value.message
    assert body(accepts_tokens=True, input=[[1, 2], [3]]).inputs == ((1, 2), (3,))


@pytest.mark.parametrize("fields", [{"input": ""}, {"input": ["a", ""]}, {"input": "a", "encoding_format": "int8"}])
def test_invalid_inputs_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        body(**fields)


def test_vectors_are_returned_as_floats_by_default() -> None:
    assert json.dumps(embedding_list("alias", FOUND, None)) == (
        '{"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}, '
        '{"object": "embedding", "index": 1, "embedding": [1.0, 0.0]}], "model": "alias", '
        '"usage": {"prompt_tokens": 7, "total_tokens": 7}}'
    )


def test_vectors_are_returned_as_base64_if_requested() -> None:
    shown = json.loads(json.dumps(embedding_list("alias", FOUND, "base64")))
    assert struct.unpack("<2f", base64.b64decode(shown["data"][0]["embedding"])) == (0.5, -0.25)


def test_openai_client_gets_vectors(endpoint: Live) -> None:
    with endpoint.openai() as client:
        packed = client.embeddings.create(model="text-embedding-3-small", input=["a", "bc"])
        plain = client.embeddings.create(model="x", input=["a", "bc"], encoding_format="float")
        short = client.embeddings.create(model="x", input="bc", dimensions=2, encoding_format="float")
    assert [each.index for each in packed.data] == [0, 1]
    for packed_one, plain_one in zip(packed.data, plain.data, strict=True):
        assert packed_one.embedding == pytest.approx(plain_one.embedding, abs=1e-6)
        assert sum(number**2 for number in plain_one.embedding) == pytest.approx(1)
    assert packed.usage.prompt_tokens == plain.usage.prompt_tokens > 0
    assert len(short.data[0].embedding) == 2
    assert endpoint.n_in_progress == 0


def test_error_for_input_of_token_ids_names_the_langchain_option(endpoint: Live) -> None:
    refused = endpoint.post({"input": [[1, 2]]}, "/v1/embeddings")
    assert refused.status_code == 400
    assert "check_embedding_ctx_length=False" in refused.json()["error"]["message"]
    with live(token_embeddings=True) as taking:
        assert taking.post({"input": [[1, 2]]}, "/v1/embeddings").status_code == 200
        assert taking.post({"input": [[99999]]}, "/v1/embeddings").status_code == 400


def test_ollama_routes_return_vectors(endpoint: Live) -> None:
    many = endpoint.post({"model": "x", "input": ["a", "bc"]}, "/api/embed").json()
    one = endpoint.post({"model": "x", "prompt": "bc"}, "/api/embeddings").json()
    assert len(many["embeddings"]) == 2
    assert one["embedding"] == pytest.approx(many["embeddings"][1], abs=1e-6)
    assert endpoint.post({"input": []}, "/api/embed").json()["embeddings"] == []


def test_unknown_model_is_404_if_settings_refuse_it() -> None:
    with live(unknown_model="404") as endpoint:
        assert endpoint.post({"model": "fake", "input": "a"}, "/v1/embeddings").status_code == 200
        assert endpoint.post({"model": "ada", "input": "a"}, "/v1/embeddings").status_code == 404
        assert endpoint.post({"model": "ada", "input": "a"}, "/api/embed").status_code == 404


def test_embedding_request_is_503_while_model_loads() -> None:
    with live(FakeOpener(Script(b"Hi", load_s=1.0)), ready=False) as endpoint:
        refused = endpoint.post({"input": "a"}, "/v1/embeddings")
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        wait_until(lambda: endpoint.engine.status.state == "ready")
