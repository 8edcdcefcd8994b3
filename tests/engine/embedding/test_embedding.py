"""Embeddings with an embedding model and with the chat model: values, computing in slices beside chats, cancelling,
failures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.backend import LoadSettings
from engine.embedding.queue import truncated
from engine.engine import Engine
from engine.errors import (
    ContextOverflow,
    EngineClosed,
    EngineDead,
    InvalidSettings,
    ModelFileError,
    NotLoaded,
    RequestError,
)
from engine.events import TextDelta
from engine.library.load_trial import LoadTrial
from engine.requests import EmbedRequest
from tests.conftest import chat
from tests.fake_embedder import LIMITS, FakeEmbedderOpener
from tests.fakes import FakeOpener, Script
from tests.model_files.tiny_embedder import N_EMBD, TinyBert

PATH = Path("fake.gguf")


def ask(*inputs: str | tuple[int, ...], dimensions: int | None = None) -> EmbedRequest:
    return EmbedRequest(inputs, "endpoint", dimensions)


@asynccontextmanager
async def fake_engine(script: Script, opener: FakeEmbedderOpener) -> AsyncIterator[Engine]:
    engine = Engine(FakeOpener(script), open_embedder=opener)
    await engine.load(PATH)
    await engine.load_embedder(PATH)
    try:
        yield engine
    finally:
        await engine.aclose()
        assert all(embedder.closed for embedder in opener.embedders)


def unit(vector: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> list[float]:
    return [float(number) for number in vector / np.linalg.norm(vector)]


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_bert_embeddings_equal_numpy_reference(tmp_path: Path, pooling: str) -> None:
    bert = TinyBert()
    path = bert.write(tmp_path / "bert.gguf", pooling)
    LoadTrial(None).check(path, lambda: False)
    inputs = [[2, *range(4, 4 + n), 3] for n in (1, 5, 20, 26, 3, 7)]

    async def run() -> None:
        engine = Engine()
        info = await engine.load_embedder(path)
        assert (info.n_ctx, info.n_dimensions) == (64, N_EMBD)
        assert engine.status.embedder == info
        answer = await engine.embed(ask(*map(tuple, inputs)))
        assert answer.n_prompt == sum(map(len, inputs))
        for tokens, vector in zip(inputs, answer.vectors, strict=True):
            rows = bert.forward(tokens)
            pooled = {"mean": rows.mean(axis=0), "cls": rows[0], "last": rows[-1]}[pooling]
            assert vector == pytest.approx(unit(pooled), abs=2e-3)
            alone = await engine.embed(ask(tuple(tokens)))
            assert vector == pytest.approx(alone.vectors[0], abs=1e-5)
        short = await engine.embed(ask(tuple(inputs[2]), dimensions=8))
        assert short.vectors[0] == pytest.approx(unit(np.array(answer.vectors[2][:8])), abs=1e-5)
        words = await engine.embed(ask("a b c"))
        assert words.n_prompt == 5  # three words, and [CLS] and [SEP]
        with pytest.raises(ContextOverflow) as refused:
            await engine.embed(ask("a", "a " * 70))
        assert (refused.value.n_prompt, refused.value.n_ctx) == (72, 64)
        cut = await engine.embed(replace(ask("a " * 70, "b"), truncate=True))
        fits = await engine.embed(ask("a " * 62, "b"))
        assert (cut.n_prompt, fits.n_prompt) == (64 + 3, 64 + 3), "[SEP] is kept at the end"
        for one, other in zip(cut.vectors, fits.vectors, strict=True):
            assert one == pytest.approx(other, abs=1e-5)
        await engine.unload_embedder()
        with pytest.raises(NotLoaded):
            await engine.embed(ask("a"))
        await engine.aclose()

    asyncio.run(run())


def test_load_embedder_refuses_a_reranking_model_and_a_kv_type_setting(tmp_path: Path) -> None:
    path = TinyBert().write(tmp_path / "rank.gguf", "rank")

    async def run() -> None:
        engine = Engine()
        with pytest.raises(ModelFileError, match="ranks"):
            await engine.load_embedder(path)
        with pytest.raises(InvalidSettings):
            await engine.load_embedder(TinyBert().write(tmp_path / "bert.gguf"), LoadSettings(kv_type_k="q8_0"))
        assert engine.status.embedder is None
        await engine.aclose()

    asyncio.run(run())


def test_chat_model_computes_embeddings_if_no_embedding_model_is_loaded(model_path: Path) -> None:
    texts = ("The cat sleeps on the sofa.", "A kitten naps on the couch.", "Stock prices fell sharply on Monday.")

    async def run() -> None:
        engine = Engine()
        await engine.load(model_path, LoadSettings(n_ctx=1024))
        said, _ = await engine.submit(chat(max_tokens=12)).collect()
        together = (await engine.embed(ask(*texts))).vectors
        for text, vector in zip(texts, together, strict=True):
            assert np.linalg.norm(vector) == pytest.approx(1)
            alone = (await engine.embed(ask(text))).vectors[0]
            assert np.dot(alone, vector) > 0.9999
        cat, kitten, stocks = map(np.array, together)
        assert cat @ kitten > cat @ stocks
        long = "Once upon a time there was a sea. " * 80  # this text is computed in several slices
        whole = await engine.embed(ask(long))
        assert whole.n_prompt > 600
        assert np.linalg.norm(whole.vectors[0]) == pytest.approx(1)
        assert (await engine.submit(chat(max_tokens=12)).collect())[0] == said
        with pytest.raises(ContextOverflow):
            await engine.embed(ask(long * 2))
        with pytest.raises(RequestError, match="dimensions"):
            await engine.embed(ask("a", dimensions=10_000))
        with pytest.raises(RequestError, match="vocabulary"):
            await engine.embed(ask((1, 1 << 20)))
        await engine.load(model_path, LoadSettings(n_ctx=512))  # this load frees the old embedding context first
        assert len((await engine.embed(ask("Hello"))).vectors[0]) == len(cat)
        await engine.aclose()

    asyncio.run(run())


def test_vectors_do_not_depend_on_how_inputs_are_cut_into_slices() -> None:
    """The fake embedder returns a one-hot row for each byte, so each mean vector counts the bytes of its input."""

    async def run() -> None:
        opener = FakeEmbedderOpener()
        async with fake_engine(Script(), opener) as engine:
            texts = ["a" * 3 + "b" * 4, "c" * 90, "de", *("f" * i for i in range(1, 30))]
            answer = await engine.embed(ask(*texts))
            for text, vector in zip(texts, answer.vectors, strict=True):
                assert vector == pytest.approx(unit(np.bincount(list(text.encode()), minlength=257).astype(float)))
            assert (await engine.embed(ask())).vectors == ()
            with pytest.raises(RequestError, match="empty"):
                await engine.embed(ask(""))
            assert not opener.embedders[0].slots

    asyncio.run(run())


@pytest.mark.parametrize("can_split", [True, False])
def test_window_answer_does_not_stall_while_many_inputs_are_embedded(can_split: bool) -> None:
    async def run() -> None:
        limits = replace(LIMITS, n_ctx=500, n_batch=500, can_split=can_split)
        opener = FakeEmbedderOpener(limits)
        async with fake_engine(Script(step_s=0.01), opener) as engine:
            opener.embedders[0].token_s = 0.001
            embedding = asyncio.create_task(engine.embed(ask(*["x" * 100] * 20)))
            prompt = asyncio.create_task(engine.submit(chat("y" * 600, "endpoint", max_tokens=1)).collect())
            stream = engine.submit(chat(max_tokens=100))
            times = [time.monotonic() async for event in stream if isinstance(event, TextDelta)]
            gaps = np.diff(times)
            # A busy machine may pause this process. Without slices, at least four gaps would take 0.5 s each.
            assert sorted(gaps)[-3] < 0.25
            n_beside = sum(n for at, n in opener.embedders[0].slices if times[0] < at < times[-1])
            assert n_beside > 500, "embedding made no progress"
            await embedding
            await prompt

    asyncio.run(run())


def test_cancelled_embedding_request_ends_within_one_slice() -> None:
    async def run() -> None:
        opener = FakeEmbedderOpener()
        async with fake_engine(Script(), opener) as engine:
            embedder = opener.embedders[0]
            embedder.token_s = 0.001
            embedding = asyncio.create_task(engine.embed(ask(*["x" * 90] * 50)))
            await asyncio.sleep(0.2)
            embedding.cancel()
            with pytest.raises(asyncio.CancelledError):
                await embedding
            n = len(embedder.slices)
            await asyncio.sleep(0.2)
            assert len(embedder.slices) <= n + 1
            assert not embedder.slots
            assert (await engine.embed(ask("a"))).n_prompt == 1

    asyncio.run(run())


def test_embedding_request_in_progress_fails_when_the_model_is_unloaded_or_the_engine_closes() -> None:
    async def run() -> None:
        opener = FakeEmbedderOpener()
        async with fake_engine(Script(), opener) as engine:
            opener.embedders[0].token_s = 0.001
            first = asyncio.create_task(engine.embed(ask(*["x" * 90] * 50)))
            await asyncio.sleep(0.05)
            await engine.unload_embedder()
            with pytest.raises(NotLoaded):
                await first
            assert len((await engine.embed(ask("a"))).vectors) == 1, "the chat model computes embeddings now"
            await engine.load_embedder(PATH)
            opener.embedders[1].token_s = 0.001
            second = asyncio.create_task(engine.embed(ask(*["x" * 90] * 50)))
            await asyncio.sleep(0.05)
            await engine.aclose()
            with pytest.raises(EngineClosed):
                await second
            with pytest.raises(EngineClosed):
                await engine.embed(ask("a"))

    asyncio.run(run())


def test_embedder_failure_does_not_end_chats_or_prevent_loading_an_embedder_again() -> None:
    async def run() -> None:
        opener = FakeEmbedderOpener()
        async with fake_engine(Script(step_s=0.005), opener) as engine:
            stream = engine.submit(chat(max_tokens=60))
            await anext(stream)
            opener.embedders[0].fails = True
            with pytest.raises(EngineDead):
                await engine.embed(ask("a"))
            text, finished = await stream.collect()
            assert finished.reason == "length"
            assert len(text) > 50
            assert engine.status.state == "ready"
            assert engine.status.embedder is None
            await engine.load_embedder(PATH)
            assert (await engine.embed(ask("a"))).n_prompt == 1

    asyncio.run(run())


def test_embedding_model_still_computes_vectors_after_the_chat_model_has_failed() -> None:
    async def run() -> None:
        opener = FakeEmbedderOpener()
        async with fake_engine(Script(fail_after=3), opener) as engine:
            with pytest.raises(EngineDead):
                await engine.submit(chat()).collect()
            assert engine.status.state == "dead"
            assert (await engine.embed(ask("a"))).n_prompt == 1
            await engine.unload_embedder()
            with pytest.raises(EngineDead):
                await engine.embed(ask("a"))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("tokens", "special_tokens", "expected"),
    [
        ([1, 5, 6, 7, 2], [1, 2], [1, 5, 2]),
        ([1, 5, 6, 7], [1], [1, 5, 6]),
        ([5, 6, 7, 2], [2], [5, 6, 2]),
        ([5, 6, 7, 8], [], [5, 6, 7]),
        ([1, 2], [1, 2], [1, 2]),
        ([5, 6, 7, 8], [1, 2], [5, 6, 7]),  # an input that was given as tokens has no special tokens
    ],
)
def test_truncated_input_keeps_its_final_special_tokens(
    tokens: list[int], special_tokens: list[int], expected: list[int]
) -> None:
    assert truncated(tokens, 3, special_tokens) == expected
