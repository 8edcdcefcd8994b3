"""Drafts of a model's MTP layers, with tiny models that llama.cpp computes: answers stay the same, in fewer steps."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.events import DraftCounts, TokenChoice, Usage
from engine.library.mtp_layers import MTP_TENSORS
from engine.native import backend as native_backend
from engine.requests import GREEDY, CompletionRequest, Constraint, Sampling
from tests.model_files.tiny_models import LETTERS
from tests.model_files.tiny_mtp import CYCLE, continuation, write_mtp_model
from tests.real_model.test_drafts import answer, key

PROMPT = CYCLE[3]
REQUEST = CompletionRequest(PROMPT, "endpoint", GREEDY, max_tokens=60, n_logprobs=2)
"""The answer is shorter than the cycle of letters, so that the text never predicts itself."""

SETTINGS = LoadSettings(n_ctx=1024, n_threads=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_mtp_model(tmp_path / "mtp.gguf")


@asynccontextmanager
async def loaded(path: Path, settings: LoadSettings = SETTINGS, snapshots: Path | None = None) -> AsyncIterator[Engine]:
    engine = Engine(snapshots=snapshots)
    await engine.load(path, settings)
    try:
        yield engine
    finally:
        await engine.aclose()


def text(choices: list[TokenChoice]) -> str:
    return b"".join(each.token for each in choices).decode()


def counts(usage: Usage) -> DraftCounts:
    return next((each for each in usage.drafts if each.kind == "mtp"), DraftCounts("mtp", 0, 0))


def unpredictable(n: int) -> str:
    """Random letters, none of which is the next one of the cycle after the letter before it."""
    rng, letters = random.Random(n), [CYCLE[0]]
    while len(letters) < n:
        letter = rng.choice(LETTERS)
        if letter != continuation(letters[-1], 1):
            letters.append(letter)
    return "".join(letters)


@pytest.mark.parametrize("architecture", MTP_TENSORS)
def test_drafts_of_mtp_layers_are_accepted(architecture: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with loaded(write_mtp_model(tmp_path / "mtp.gguf", architecture=architecture)) as engine:
            choices, usage, reason = await answer(engine, REQUEST)
            assert (text(choices), reason) == (continuation(PROMPT, 60), "length")
            assert counts(usage).n_drafted > 40
            assert counts(usage).n_accepted >= 0.9 * counts(usage).n_drafted
            assert engine.status.model is not None
            assert engine.status.model.mtp_refusal == ""

    asyncio.run(run())


@pytest.mark.parametrize(
    "request_",
    [
        REQUEST,
        replace(REQUEST, sampling=Sampling(temperature=2.0, seed=7)),
        replace(REQUEST, constraint=Constraint("regex", r"[A-Za-z]{1,9}([0-9]|[a-z .,])+")),
        replace(REQUEST, sampling=replace(GREEDY, logit_bias=((3 + ord(CYCLE[20]), -20.0),), repeat_penalty=1.2)),
        replace(REQUEST, stop=(continuation(PROMPT, 33)[-2:],)),
        replace(REQUEST, prompt=unpredictable(700)),
    ],
    ids=["greedy", "seeded", "constrained", "penalties", "stop", "long"],
)
def test_answer_with_mtp_drafts_equals_the_answer_without(path: Path, request_: CompletionRequest) -> None:
    async def run() -> None:
        async with loaded(path) as engine:
            plain = await answer(engine, replace(request_, n_draft_max=0))
            for _ in range(2):
                drafted = await answer(engine, request_)
                assert [each[0] for each in key(drafted[0])] == [each[0] for each in key(plain[0])]
                for one, other in zip(drafted[0], plain[0], strict=True):
                    assert one.logprob == pytest.approx(other.logprob, abs=1e-3)
                assert drafted[2] == plain[2]
                assert counts(drafted[1]).n_drafted > 0
            assert plain[1].n_drafted == 0

    asyncio.run(run())


def test_useless_mtp_layer_is_hardly_used(tmp_path: Path) -> None:
    async def run() -> None:
        async with loaded(write_mtp_model(tmp_path / "mtp.gguf", is_useful=False)) as engine:
            choices, usage, _ = await answer(engine, REQUEST)
            assert text(choices) == continuation(PROMPT, 60)
            assert 0 < counts(usage).n_drafted <= 6
            assert counts(usage).n_accepted == 0

    asyncio.run(run())


def test_same_request_takes_the_same_steps_whether_its_prompt_is_computed_cached_or_restored(
    path: Path, tmp_path: Path
) -> None:
    prompt = unpredictable(300)
    request, others = replace(REQUEST, prompt=prompt), [replace(REQUEST, prompt=unpredictable(n)) for n in (90, 150)]

    async def run() -> None:
        async with loaded(path, snapshots=tmp_path / "snapshots") as engine:
            first = await answer(engine, request)
            assert counts(first[1]).n_drafted > 40
            for before in ([], others):
                await asyncio.gather(*(answer(engine, each) for each in before))
                again = await answer(engine, request)
                assert again[1].n_cached > 0
                assert key(again[0]) == key(first[0])
                assert again[1].drafts == first[1].drafts
        async with loaded(path, snapshots=tmp_path / "snapshots") as engine:
            restored = await answer(engine, request)
            assert restored[1].n_cached > 0
            assert key(restored[0]) == key(first[0])
            assert restored[1].drafts == first[1].drafts

    asyncio.run(run())


@pytest.mark.parametrize("n_ctx", [1024, 512])
def test_requests_that_run_together_and_continue_each_other_get_right_answers(path: Path, n_ctx: int) -> None:
    """With the smaller context they cannot all run at the same time, so that some are preempted and resumed."""

    async def run() -> None:
        async with loaded(path, replace(SETTINGS, n_ctx=n_ctx)) as engine:
            prompts = [unpredictable(n) for n in (3, 20, 130, 200)]
            for _ in range(3):
                answers = await asyncio.gather(*(answer(engine, replace(REQUEST, prompt=each)) for each in prompts))
                for prompt, (choices, _, reason) in zip(prompts, answers, strict=True):
                    assert (text(choices), reason) == (continuation(prompt, 60), "length")
                prompts = [
                    prompt + text(choices) + CYCLE[9] for prompt, (choices, _, _) in zip(prompts, answers, strict=True)
                ]

    asyncio.run(run())


def test_model_works_without_its_mtp_layers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refusal(settings: LoadSettings = SETTINGS) -> str:
        async with loaded(path, settings) as engine:
            choices, usage, _ = await answer(engine, REQUEST)
            assert text(choices) == continuation(PROMPT, 60)
            assert counts(usage).n_drafted == 0
            assert engine.status.model is not None
            return engine.status.model.mtp_refusal

    assert "turned off" in asyncio.run(refusal(replace(SETTINGS, drafts=False)))
    assert "draft model" in asyncio.run(refusal(replace(SETTINGS, draft_model=path)))
    monkeypatch.setattr(native_backend, "is_available", lambda: False)
    assert "lacks the functions" in asyncio.run(refusal())
