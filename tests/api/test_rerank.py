"""The routes for reranking: both formats, first the translation, then over HTTP with a tiny model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from api.authentication import KeyFile, KeyLimits
from api.errors import BadRequest
from api.model_router import ModelRouter
from api.rerank import MAX_DOCUMENTS, RerankBody, answer, rerank_request, tei_answer
from engine.events import Scores
from engine.requests import RerankRequest
from tests.api.live_endpoint import Live, live, wait_until
from tests.api.test_model_router import remote, serving, source
from tests.model_files.tiny_embedder import TinyBert

FOUND = Scores((-1.0, 3.0, 0.0), 12)


def body(**fields: Any) -> RerankBody:
    return RerankBody.model_validate_json(json.dumps(fields))


def test_documents_are_texts_or_objects_with_text() -> None:
    given = body(query="q", documents=["a", {"text": "b", "id": 1}])
    assert rerank_request(given, "1") == RerankRequest("q", ("a", "b"), "endpoint", "1", truncate=True)
    assert not rerank_request(body(query="q", texts=["a"]), "1").truncate
    assert rerank_request(body(query="q", texts=["a"], truncate=True), "1").truncate


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"documents": []},
        {"documents": ["a"], "texts": ["a"]},
        {"documents": [1]},
        {"documents": [{"image": "a"}]},
        {"documents": ["a"] * (MAX_DOCUMENTS + 1)},
    ],
)
def test_invalid_documents_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        rerank_request(body(query="q", **fields), "1")


def test_answer_has_the_best_documents_first() -> None:
    given = body(query="q", documents=["a", "b", "c"], top_n=2, return_documents=True)
    assert answer(given, ("a", "b", "c"), FOUND, "m") == {
        "model": "m",
        "object": "list",
        "results": [
            {"index": 1, "relevance_score": 3.0, "document": {"text": "b"}},
            {"index": 2, "relevance_score": 0.0, "document": {"text": "c"}},
        ],
        "usage": {"prompt_tokens": 12, "total_tokens": 12},
    }


def test_scores_of_text_embeddings_inference_are_probabilities_if_raw_scores_is_false() -> None:
    raw = tei_answer(body(query="q", texts=["a", "b", "c"], return_text=True), ("a", "b", "c"), FOUND)
    assert raw[0] == {"index": 1, "score": 3.0, "text": "b"}
    shown = tei_answer(body(query="q", texts=["a", "b", "c"], raw_scores=False), ("a", "b", "c"), FOUND)
    assert [each["score"] for each in shown] == pytest.approx([0.952574, 0.5, 0.268941], abs=1e-5)
    given = Scores((0.25,), 1, are_probabilities=True)
    assert tei_answer(body(query="q", texts=["a"], raw_scores=False), ("a",), given) == [{"index": 0, "score": 0.25}]


@pytest.fixture(scope="module")
def ranking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """An endpoint with a fake chat model and a tiny reranking model."""
    path = TinyBert().write(tmp_path_factory.mktemp("rank") / "tiny-rank.gguf", "rank")
    keys = path.with_name("keys.json")
    with live(reranker=path, unknown_model="404", named_keys=keys) as endpoint:
        wait_until(lambda: endpoint.engine.status.reranker is not None)
        yield endpoint


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank", "/rerank", "/reranking", "/v1/reranking"])
def test_every_route_answers_in_the_format_of_the_request(ranking: Live, path: str) -> None:
    found = ranking.post({"model": "tiny-rank", "query": "a b", "documents": ["a", {"text": "c d"}], "top_n": 1}, path)
    assert found.status_code == 200, found.text
    shown = found.json()
    assert (len(shown["results"]), shown["model"]) == (1, "tiny-rank")
    assert shown["usage"]["prompt_tokens"] > 5
    both = ranking.post({"query": "a b", "texts": ["a", "c d"]}, path).json()
    assert both[0]["score"] > both[1]["score"]
    assert (both[0]["index"], both[0]["score"]) == (
        shown["results"][0]["index"],
        pytest.approx(shown["results"][0]["relevance_score"]),
    )
    assert ranking.n_in_progress == 0


def test_reranking_model_is_listed_and_other_names_are_refused(ranking: Live) -> None:
    with ranking.http() as client:
        assert "tiny-rank" in [each["id"] for each in client.get("/v1/models").json()["data"]]
        usage = client.get("/v1/activity").json()
    assert usage
    assert ranking.post({"model": "other", "query": "a", "documents": ["a"]}, "/v1/rerank").status_code == 404


def test_key_that_may_not_use_the_reranking_model_is_refused(ranking: Live) -> None:
    path = ranking.app.state.settings.named_keys
    value = KeyFile(path).add("tool")
    KeyFile(path).limit("tool", KeyLimits(models=("fake",)))
    with ranking.http() as client:
        head = {"authorization": f"Bearer {value}"}
        refused = client.post("/v1/rerank", json={"query": "a", "documents": ["a"]}, headers=head)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_not_allowed")
        assert [each["id"] for each in client.get("/v1/models", headers=head).json()["data"]] == ["fake"]


def test_query_that_is_too_long_is_refused(ranking: Live) -> None:
    refused = ranking.post({"query": "a " * 70, "documents": ["a"]}, "/v1/rerank")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "context_length_exceeded")


def test_request_without_a_reranking_model_is_refused(endpoint: Live) -> None:
    refused = endpoint.post({"query": "a", "documents": ["a"]}, "/v1/rerank")
    assert refused.status_code == 400
    assert "reranking" in refused.json()["error"]["message"]


def test_name_of_a_connected_model_chooses_it() -> None:
    connected: Any = remote("far-rank")

    async def rerank(request: RerankRequest) -> Scores:
        return Scores(tuple(map(float, range(len(request.documents)))), 5)

    connected.rerank = rerank
    body = {"model": "far-rank", "query": "q", "documents": ["a", "b"]}
    with serving(ModelRouter([source(connected), source(remote("small"))]), remote("big")) as client:
        shown = client.post("/v1/rerank", json=body).json()
        assert (shown["model"], shown["results"][0]["index"]) == ("far-rank", 1)
        newest = client.get("/v1/activity").json()["data"][0]
        assert (newest["model"], newest["host"]) == ("far-rank", "gpu-box.lan")
        assert client.post("/v1/rerank", json={**body, "model": "small"}).status_code == 400
