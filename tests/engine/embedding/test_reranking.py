"""Reranking: scores against a numpy reference and llama-server, truncating, slices of a causal model, failures."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from engine.backend import RankFormat
from engine.embedding.rank_prompt import RankPrompts
from engine.engine import Engine
from engine.errors import ContextOverflow, EngineClosed, ModelFileError, NotLoaded, Unsupported
from engine.requests import RerankRequest
from engine.status import EmbedderInfo
from tests.bench.http_servers import LLAMA_SERVER
from tests.fake_embedder import FakeEmbedder, FakeEmbedderOpener
from tests.fakes import FakeOpener, Script
from tests.model_files.tiny_embedder import WORDS, TinyBert
from tests.model_files.tiny_ranker import write_qwen3_ranker

DOCUMENTS = ("d e f", "a b c d", "z", "q r s t u v w x y z", "c")
PATH = Path("fake.gguf")


def ask(*documents: str, query: str = "a b c", truncate: bool = True) -> RerankRequest:
    return RerankRequest(query, documents, "endpoint", truncate=truncate)


def ids(text: str) -> list[int]:
    return [WORDS.index(f"\u2581{word}") for word in text.split()]


def test_bert_scores_equal_numpy_reference(tmp_path: Path) -> None:
    bert = TinyBert()
    path = bert.write(tmp_path / "rank.gguf", "rank")

    async def run() -> None:
        engine = Engine()
        with pytest.raises(Unsupported):
            await engine.rerank(ask("a"))
        info = await engine.load_reranker(path)
        assert isinstance(info, EmbedderInfo)
        assert engine.status.reranker == info
        assert engine.status.embedder is None
        scores = await engine.rerank(ask(*DOCUMENTS))
        assert not scores.are_probabilities
        prompts = [[2, *ids("a b c"), 3, *ids(document)] for document in DOCUMENTS]
        n_end = (scores.n_prompt - sum(map(len, prompts))) // len(DOCUMENTS)
        for prompt, score in zip(prompts, scores.values, strict=True):
            assert score == pytest.approx(bert.score([*prompt, *[3] * n_end]), abs=2e-3)
        with pytest.raises(ContextOverflow):
            await engine.rerank(ask("a", query="a " * 70))
        with pytest.raises(ContextOverflow):
            await engine.rerank(ask("a " * 70, truncate=False))
        cut = await engine.rerank(ask("d " * 70))
        assert cut.n_prompt == info.n_ctx
        await engine.unload_reranker()
        with pytest.raises(Unsupported):
            await engine.rerank(ask("a"))
        await engine.aclose()
        with pytest.raises(EngineClosed):
            await engine.rerank(ask("a"))

    asyncio.run(run())


@pytest.mark.skipif(not LLAMA_SERVER.exists(), reason="`make llama-server` was not run")
@pytest.mark.parametrize("kind", ["bert", "qwen3"])
def test_scores_equal_those_of_llama_server(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "rank.gguf"
    if kind == "bert":
        TinyBert().write(path, "rank")
    else:
        write_qwen3_ranker(path)

    async def ours() -> tuple[float, ...]:
        engine = Engine()
        await engine.load_reranker(path)
        scores = await engine.rerank(ask(*DOCUMENTS))
        assert scores.are_probabilities == (kind == "qwen3")
        await engine.aclose()
        return scores.values

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(LLAMA_SERVER),
        "-m",
        str(path),
        "--rerank",
        "--port",
        str(port),
        "--no-webui",
        "-c",
        "64",
        "--no-warmup",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            theirs = scores_of(f"http://127.0.0.1:{port}")
        finally:
            server.kill()
    found = asyncio.run(ours())
    assert len(set(found)) > 1
    assert found == pytest.approx([theirs[index] for index in range(len(DOCUMENTS))], abs=1e-4)


def scores_of(root: str) -> dict[int, float]:
    body = {"query": "a b c", "documents": DOCUMENTS}
    for _ in range(600):
        try:
            answer = httpx.post(f"{root}/v1/rerank", json=body, trust_env=False)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code != 503:
            answer.raise_for_status()
            return {each["index"]: each["relevance_score"] for each in answer.json()["results"]}
        time.sleep(0.1)
    raise TimeoutError("llama-server did not start")


def test_model_is_loaded_only_for_what_it_can_do(tmp_path: Path) -> None:
    async def run() -> None:
        engine = Engine()
        with pytest.raises(ModelFileError, match="does not rank"):
            await engine.load_reranker(TinyBert().write(tmp_path / "bert.gguf"))
        headless = TinyBert()
        headless.head = {}
        with pytest.raises(ModelFileError, match="no ranking head"):
            await engine.load_reranker(headless.write(tmp_path / "headless.gguf", "rank"))
        await engine.aclose()

    asyncio.run(run())


def test_template_places_query_and_document_and_truncates_only_the_document() -> None:
    format = RankFormat(template="<q>{query}<d>{document}<end>", control_texts=("<end>",))
    assert bytes(RankPrompts(format, FakeEmbedder().tokenize, 100, "{document}").prompt("hi", truncate=True)) == (
        b"<q>{document}<d>hi<end>"
    )
    assert bytes(RankPrompts(format, FakeEmbedder().tokenize, 20, "ab").prompt("x" * 90, truncate=True)) == (
        b"<q>ab<d>" + b"x" * 7 + b"<end>"
    )


def test_request_ends_when_its_task_is_cancelled_or_the_model_is_unloaded() -> None:
    async def run() -> None:
        opener = FakeEmbedderOpener()
        engine = Engine(FakeOpener(Script()), open_embedder=opener)
        await engine.load_reranker(PATH)
        embedder = opener.embedders[0]
        embedder.token_s = 0.001
        cancelled = asyncio.create_task(engine.rerank(ask(*["x" * 90] * 50)))
        await asyncio.sleep(0.2)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        rest = asyncio.create_task(engine.rerank(ask(*["x" * 90] * 50)))
        await asyncio.sleep(0.1)
        await engine.unload_reranker()
        with pytest.raises(NotLoaded):
            await rest
        assert embedder.closed
        await engine.aclose()

    asyncio.run(run())


def test_score_of_a_causal_model_does_not_depend_on_the_slices(tmp_path: Path) -> None:
    path = write_qwen3_ranker(tmp_path / "rank.gguf")
    long = "q r s " * 150

    async def run() -> None:
        engine = Engine()
        await engine.load_reranker(path)
        together = await engine.rerank(ask(long, "c", long + "x", "d e"))
        assert together.n_prompt > 4 * 256, "the long documents take several slices"
        for document, score in zip((long, "c", long + "x", "d e"), together.values, strict=True):
            assert (await engine.rerank(ask(document))).values[0] == pytest.approx(score, abs=1e-4)
        unescaped = await engine.rerank(ask("c<|im_end|>"))
        assert unescaped.n_prompt > (await engine.rerank(ask("c"))).n_prompt + 1, "a control token is plain text"
        await engine.aclose()

    asyncio.run(run())
