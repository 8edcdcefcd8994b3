"""Samplers with the real model: every setting has its effect, and the returned log probabilities are correct."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path

import pytest

from engine.engine import Engine
from engine.events import Finished, Started, TextDelta, TokenChoice
from engine.requests import GREEDY, CompletionRequest, Sampling
from tests.conftest import chat
from tests.real_model.test_engine import real_engine

NEUTRAL = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, seed=3)
"""Settings with which every sampler is off, so that any token can be drawn."""


async def token_choices(
    engine: Engine, sampling: Sampling, text: str = "Tell me of the sea.", n: int = 24
) -> list[TokenChoice]:
    """Runs a chat request. Returns each token of the answer, with the two most likely tokens at its position."""
    choices: list[TokenChoice] = []
    request = replace(chat(text, sampling=sampling, max_tokens=n), n_logprobs=2)
    async for event in engine.submit(request):
        if isinstance(event, TextDelta):
            choices += event.choices
    return choices


def tokens(choices: list[TokenChoice]) -> list[bytes]:
    return [choice.token for choice in choices]


def with_model(model_path: Path, check: Callable[[Engine], Coroutine[None, None, None]]) -> None:
    async def run() -> None:
        async with real_engine(model_path) as engine:
            await check(engine)

    asyncio.run(run())


def test_samplers_that_leave_one_token_give_the_greedy_answer(model_path: Path) -> None:
    async def check(engine: Engine) -> None:
        greedy = tokens(await token_choices(engine, GREEDY))
        assert tokens(await token_choices(engine, NEUTRAL)) != greedy
        for only in ({"top_n_sigma": 0.001}, {"temperature": 0.001}, {"typical_p": 0.0001, "top_k": 1}):
            assert tokens(await token_choices(engine, replace(NEUTRAL, **only))) == greedy, only  # type: ignore[arg-type]

    with_model(model_path, check)


@pytest.mark.parametrize(
    "change",
    [
        Sampling(temperature_range=1.0),
        Sampling(typical_p=0.2),
        Sampling(mirostat=True, mirostat_tau=1.0),
        Sampling(xtc_probability=1.0),
        Sampling(seed=4),
    ],
    ids=["temperature_range", "typical_p", "mirostat", "xtc", "seed"],
)
def test_sampler_setting_changes_the_answer(model_path: Path, change: Sampling) -> None:
    neutral = Sampling()
    changed = {
        name: getattr(change, name)
        for name in Sampling.__dataclass_fields__
        if getattr(change, name) != getattr(neutral, name)
    }

    async def check(engine: Engine) -> None:
        assert tokens(await token_choices(engine, replace(NEUTRAL, **changed))) != tokens(
            await token_choices(engine, NEUTRAL)
        )

    with_model(model_path, check)


def test_xtc_excludes_the_most_likely_token(model_path: Path) -> None:
    async def check(engine: Engine) -> None:
        sampling = replace(NEUTRAL, top_k=2, xtc_probability=1.0, xtc_threshold=1e-6)
        for choice in await token_choices(engine, sampling):
            assert choice.token == choice.others[1][0]

    with_model(model_path, check)


def test_lower_mirostat_target_gives_a_more_probable_answer(model_path: Path) -> None:
    async def check(engine: Engine) -> None:
        mean = {}
        for tau in (0.5, 6.0):
            answer = await token_choices(engine, replace(NEUTRAL, mirostat=True, mirostat_tau=tau), n=60)
            mean[tau] = sum(choice.logprob for choice in answer) / len(answer)
        assert mean[0.5] > mean[6.0] + 0.5

    with_model(model_path, check)


@pytest.mark.parametrize(
    "penalty",
    [
        Sampling(temperature=0.0, repeat_penalty=2.0),
        Sampling(temperature=0.0, frequency_penalty=2.0),
        Sampling(temperature=0.0, presence_penalty=2.0),
        Sampling(temperature=0.0, dry_multiplier=5.0),
    ],
    ids=["repeat", "frequency", "presence", "dry"],
)
def test_penalty_reduces_repetition(model_path: Path, penalty: Sampling) -> None:
    async def max_word_count(engine: Engine, sampling: Sampling) -> int:
        """The number of occurrences of the most frequent word in the answer."""
        repetitive = CompletionRequest("one, one, one, one, one, one, one,", "window", sampling, max_tokens=60)
        words = (await engine.submit(repetitive).collect())[0].split()
        return max(map(words.count, words))

    async def check(engine: Engine) -> None:
        assert await max_word_count(engine, GREEDY) > 25, "the greedy answer must be repetitive"
        assert await max_word_count(engine, penalty) < 12

    with_model(model_path, check)


def test_logit_bias_can_forbid_force_or_favour_tokens(model_path: Path) -> None:
    async def check(engine: Engine) -> None:
        first = (await token_choices(engine, GREEDY, n=1))[0]
        (token,) = await engine.queries.tokenize(first.token.decode(), add_special=False)
        forbidden = replace(GREEDY, logit_bias=((token, float("-inf")),))
        assert (await token_choices(engine, forbidden, n=1))[0].token == first.others[1][0]
        # 10**7 is outside the vocabulary and ignored
        forced = replace(NEUTRAL, logit_bias=((token, 100.0), (10**7, 5.0)))
        assert tokens(await token_choices(engine, forced, n=5)) == [first.token] * 5
        (second,) = await engine.queries.tokenize(first.others[1][0].decode(), add_special=False)
        lead = first.logprob - first.others[1][1]
        for bias, best in ((-0.9 * lead, 0), (-1.1 * lead, 1)):
            lowered = replace(GREEDY, logit_bias=((token, bias),))
            assert (await token_choices(engine, lowered, n=1))[0].token == first.others[best][0]
            raised = replace(GREEDY, logit_bias=((second, -bias),))
            assert (await token_choices(engine, raised, n=1))[0].token == first.others[best][0]

    with_model(model_path, check)


def test_answer_is_longer_with_min_tokens_or_ignore_eos(model_path: Path) -> None:
    async def check(engine: Engine) -> None:
        short = chat("Answer with one word: what is the capital of France?", sampling=GREEDY, max_tokens=80)

        async def end(n: int, **changes: object) -> Finished:
            request = replace(short, id=str(n), **changes)  # type: ignore[arg-type]
            return (await engine.submit(request).collect())[1]

        free = await end(0)
        assert free.reason == "stop"
        assert (await end(1, min_tokens=70)).usage.n_output >= 70 > free.usage.n_output
        endless = await end(2, sampling=replace(GREEDY, ignore_eos=True))
        assert (endless.reason, endless.usage.n_output) == ("length", 80)

    with_model(model_path, check)


def test_prompt_log_probabilities_equal_those_of_a_decoded_answer(model_path: Path) -> None:
    """The log probabilities of an answer equal those of the same tokens when they are part of a prompt."""

    async def check(engine: Engine) -> None:
        start = "The capital of France is"
        request = CompletionRequest(start, "endpoint", GREEDY, max_tokens=70, n_logprobs=3)
        generated: list[TokenChoice] = []
        async for event in engine.submit(request):
            if isinstance(event, TextDelta):
                generated += event.choices
        given = await engine.queries.tokenize(start, add_special=True)
        answer = [
            token
            for choice in generated
            for token in await engine.queries.tokenize(choice.token.decode(), add_special=False)
        ]
        assert len(answer) == len(generated) == 70
        text = b"".join(choice.token for choice in generated).decode()
        assert tuple(answer) == await engine.queries.tokenize(text, add_special=False), (
            "the answer is tokenized in another way"
        )
        # The prompt has more tokens than llama.cpp returns logits for in one decode call.
        whole = replace(request, id="echo", prompt=(*given, *answer), prompt_logprobs=True, max_tokens=1)
        events = [event async for event in engine.submit(whole)]
        assert isinstance(events[0], Started)
        scored = events[0].prompt
        assert len(scored) == len(given) + 70
        assert (scored[0].logprob, events[0].n_cached) == (0.0, 0)
        for echoed, choice in zip(scored[len(given) :], generated, strict=True):
            assert echoed.token == choice.token
            assert echoed.logprob == pytest.approx(choice.logprob, abs=0.1)
            assert len(echoed.others) == 3

    with_model(model_path, check)
