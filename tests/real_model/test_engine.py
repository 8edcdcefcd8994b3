"""The engine with the real model: greedy and seeded sampling, stop strings, a full context, and loading."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.errors import ContextOverflow, LoadCancelled, ModelFileError
from engine.requests import CompletionRequest, Sampling
from tests.conftest import chat


@asynccontextmanager
async def real_engine(path: Path, settings: LoadSettings = LoadSettings(n_ctx=1024)) -> AsyncIterator[Engine]:
    engine = Engine()
    await engine.load(path, settings)
    try:
        yield engine
    finally:
        await engine.aclose()


def test_greedy_answer_is_the_same_while_other_requests_run(model_path: Path) -> None:
    async def run() -> None:
        async with real_engine(model_path) as engine:
            alone, finished = await engine.submit(chat(max_tokens=40)).collect()
            assert "sea" in alone
            assert finished.usage.n_prompt == 36
            assert finished.timings.first_token_s > 0
            requests = [chat(max_tokens=40), *(chat(f"Count to {i}.", "endpoint", max_tokens=30) for i in range(3))]
            concurrent = await asyncio.gather(*(engine.submit(request).collect() for request in requests))
            # When requests are batched, sums are rounded differently. After two tokens of nearly equal probability, a
            # greedy answer may therefore differ. No such tokens are in the first 30 characters.
            assert concurrent[0][0][:30] == alone[:30]

    asyncio.run(run())


def test_answers_with_the_same_seed_are_equal_and_sampling_from_one_token_is_greedy(model_path: Path) -> None:
    async def run() -> None:
        async with real_engine(model_path) as engine:

            async def sample(sampling: Sampling) -> str:
                return (await engine.submit(chat(max_tokens=16, sampling=sampling)).collect())[0]

            seeded = Sampling(temperature=1.2, seed=-9007199254740991)
            assert await sample(seeded) == await sample(seeded)
            assert await sample(seeded) != await sample(Sampling(temperature=1.2, seed=1))
            assert len({await sample(Sampling(temperature=1.2)) for _ in range(3)}) > 1, (
                "without a seed each answer has a new one"
            )
            greedy = await sample(Sampling(temperature=0.0))
            assert await sample(Sampling(temperature=1.5, top_k=1)) == greedy
            assert await sample(Sampling(temperature=1.5, top_p=0.0001, top_k=0)) == greedy
            assert await sample(Sampling(temperature=1.5, min_p=1.0, top_k=0)) == greedy
            looping = chat("Say: la la la la la la", max_tokens=60, sampling=Sampling(temperature=0.0))
            penalized = chat(
                "Say: la la la la la la", max_tokens=60, sampling=Sampling(temperature=0.0, repeat_penalty=1.5)
            )
            assert (await engine.submit(looping).collect())[0] != (await engine.submit(penalized).collect())[0]

    asyncio.run(run())


def test_stop_string_ends_a_completion_before_the_string(model_path: Path) -> None:
    async def run() -> None:
        async with real_engine(model_path) as engine:
            request = CompletionRequest("One, two, three, four,", "endpoint", Sampling(temperature=0.0), max_tokens=12)
            text, finished = await engine.submit(request).collect()
            assert " five" in text
            assert finished.reason == "length"
            stopped = CompletionRequest(
                "One, two, three, four,", "endpoint", Sampling(temperature=0.0), max_tokens=12, stop=("ve, s",)
            )
            text, finished = await engine.submit(stopped).collect()
            assert (text, finished.reason) == (" fi", "stop")

    asyncio.run(run())


def test_overlong_prompt_is_refused_and_an_answer_ends_at_the_context_length(model_path: Path) -> None:
    async def run() -> None:
        async with real_engine(model_path, LoadSettings(n_ctx=256)) as engine:
            with pytest.raises(ContextOverflow) as refused:
                await engine.submit(chat("word " * 400)).collect()
            assert refused.value.n_prompt > refused.value.n_ctx == 256
            tiny = CompletionRequest("word " * 240, "endpoint", Sampling(temperature=1.0))
            _, finished = await engine.submit(tiny).collect()
            assert finished.reason in ("length", "stop")
            assert finished.usage.n_prompt + finished.usage.n_output <= 257

    asyncio.run(run())


def test_cancelled_load_raises_load_cancelled(model_path: Path) -> None:
    async def run() -> None:
        engine = Engine()
        engine.watch(lambda status: engine.cancel_load() if status.state == "loading" else None)
        with pytest.raises(LoadCancelled):
            await engine.load(model_path)
        await engine.aclose()

    asyncio.run(run())


def test_invalid_model_files_are_refused_with_the_reason(model_path: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    shutil.copyfile(model_path, cut)
    with cut.open("r+b") as file:
        file.truncate(50_000_000)
    text = tmp_path / "text.gguf"
    text.write_text("This text file is long enough to contain a header of a model.")

    async def run() -> None:
        engine = Engine()
        for path, reason in ((cut, "incomplete"), (text, "not a GGUF"), (tmp_path / "none.gguf", "no such file")):
            with pytest.raises(ModelFileError, match=reason):
                await engine.load(path)
        await engine.load(model_path, LoadSettings(n_ctx=512))
        await engine.submit(chat(max_tokens=2)).collect()
        await engine.aclose()

    asyncio.run(run())
