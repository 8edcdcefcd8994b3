"""Reuse of KV state with the real model: when an answer branches at an alternative token, when one prompt gets several
answers, after a crash, and after a restart."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.events import Failed, Finished, TextDelta, TokenChoice
from engine.requests import ChatRequest, Constraint, Message, Sampling
from tests.conftest import chat
from tests.real_model.test_engine import real_engine

ROOT = Path(__file__).resolve().parents[2]

KILLED_PROCESS = """
import asyncio, sys
from pathlib import Path
from engine.backend import LoadSettings
from engine.engine import Engine
from engine.requests import Sampling
from tests.conftest import chat

async def main(model, folder):
    engine = Engine(snapshots=folder)
    await engine.load(model, LoadSettings(n_ctx=2048))
    sampling = Sampling(temperature=0.0, ignore_eos=True)
    async for event in engine.submit(chat("Tell me of the sea. " * 80, sampling=sampling)):
        print(type(event).__name__, flush=True)

asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""


async def choices_of(engine: Engine, request: ChatRequest) -> tuple[str, list[TokenChoice], Finished]:
    text = ""
    choices: list[TokenChoice] = []
    async for event in engine.submit(replace(request, n_logprobs=4)):
        match event:
            case TextDelta():
                text += event.text
                choices += event.choices
            case Finished():
                return text, choices, event
            case Failed(error=error):
                raise error
    raise AssertionError("no last event")


def test_answer_that_branches_at_an_alternative_token_reuses_the_cached_prefix(model_path: Path) -> None:
    async def run() -> None:
        async with real_engine(model_path) as engine:
            # A greedy request that runs alone would compute generated tokens again.
            original = chat(max_tokens=24, sampling=Sampling(top_k=1))
            text, choices, finished = await choices_of(engine, original)
            assert b"".join(choice.token for choice in choices).decode() == text
            for choice in choices:
                probabilities = [logprob for _, logprob in choice.others]
                assert choice.others[0] == (choice.token, choice.logprob), "top_k=1 takes the likeliest"
                assert probabilities == sorted(probabilities, reverse=True)
                assert len({token for token, _ in choice.others}) == 4
            n_prompt = finished.usage.n_prompt
            for at in (0, 5, 20):
                start = b"".join(choice.token for choice in choices[:at]).decode()
                other = choices[at].others[1][0].decode()
                request = replace(original, id=f"branch-{at}", answer_start=start + other, max_tokens=8)
                _, branch = await engine.submit(request).collect()
                assert branch.usage.n_prompt == n_prompt + at + 1
                # Everything before the alternative token is cached. A branch at the first token of the answer decodes
                # the last prompt token again.
                assert branch.usage.n_cached >= n_prompt + at - 1, "the prefix of the answer was decoded again"
            again = await engine.submit(replace(original, id="again", answer_start=text[:40], max_tokens=4)).collect()
            assert again[1].usage.n_cached >= n_prompt + 5, "a branch evicted the first answer"

    asyncio.run(run())


def test_concurrent_answers_to_one_prompt_share_one_prefill(model_path: Path) -> None:
    async def run() -> None:
        async with real_engine(model_path) as engine:
            question = "Tell me about the sea. " * 12
            requests = [
                chat(question, "endpoint", max_tokens=12, sampling=Sampling(temperature=1.3, seed=seed))
                for seed in range(4)
            ]
            answers = await asyncio.gather(*(engine.submit(request).collect() for request in requests))
            usages = [finished.usage for _, finished in answers]
            assert sorted(usage.n_cached for usage in usages) == [0, *[usages[0].n_prompt - 1] * 3]
            assert len({text for text, _ in answers}) > 1

    asyncio.run(run())


def test_prefix_is_restored_after_a_kill_during_an_answer(model_path: Path, tmp_path: Path) -> None:
    """A process is killed during an answer. The next process restores the prefix that the killed one had decoded."""
    command = [sys.executable, "-c", KILLED_PROCESS, str(model_path), str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            for line in child.stdout:
                if line.startswith("TextDelta") and list(tmp_path.glob("*.kv")):
                    break
        finally:
            child.kill()
    assert child.returncode == -signal.SIGKILL, "the process ended before it was killed"
    (tmp_path / "half.part").write_bytes(b"an incomplete snapshot")
    os.utime(tmp_path / "half.part", (0, 0))

    async def run() -> None:
        engine = Engine(snapshots=tmp_path)
        await engine.load(model_path)
        _, finished = await engine.submit(chat("Tell me of the sea. " * 80, max_tokens=4)).collect()
        await engine.aclose()
        assert finished.usage.n_prompt > 400
        assert finished.usage.n_cached == finished.usage.n_prompt - 1
        assert not (tmp_path / "half.part").exists()

    asyncio.run(run())


def test_kv_state_of_the_last_turn_is_restored_after_a_restart(model_path: Path, tmp_path: Path) -> None:
    """The turn is short, so its KV state is saved only when the engine closes."""

    async def run() -> None:
        first = chat("Tell me of the sea. " * 20, sampling=Sampling(temperature=0.8, ignore_eos=True), max_tokens=30)
        engine = Engine(snapshots=tmp_path)
        await engine.load(model_path, LoadSettings(n_ctx=1024))
        answer, before = await engine.submit(first).collect()
        await engine.aclose()
        again = Engine(snapshots=tmp_path)
        await again.load(model_path, LoadSettings(n_ctx=1024))
        messages = (*first.messages, Message("assistant", answer), Message("user", "And then?"))
        _, after = await again.submit(replace(first, id="next", messages=messages, max_tokens=1)).collect()
        await again.aclose()
        # The last token of the answer was not decoded. The next prompt may also tokenize the end of the answer
        # differently.
        assert after.usage.n_cached >= before.usage.n_prompt + before.usage.n_output - 4

    asyncio.run(run())


def test_kv_state_of_an_answer_with_unusual_tokens_is_reused_in_the_next_turn(model_path: Path) -> None:
    """A logit bias forbids the usual token of a word, so the model writes this word with other tokens."""
    answer = "A tall lighthouse stands by the sea, and every evening its keeper lights the lamp for all the ships."

    async def run() -> None:
        async with real_engine(model_path) as engine:
            usual = await engine.queries.tokenize(" lighthouse", add_special=False)
            forbidden = tuple((token, float("-inf")) for token in usual)
            prescribed = replace(
                chat("Where?", sampling=Sampling(top_k=1, logit_bias=forbidden), max_tokens=60),
                constraint=Constraint("choice", json.dumps([answer, "A tall lightqq"])),
            )
            text, choices, before = await choices_of(engine, prescribed)
            assert text == answer
            assert not set(usual) & {choice.token for choice in choices}
            n_usual = len(await engine.queries.tokenize(answer, add_special=False))
            assert before.usage.n_output > n_usual
            messages = (*prescribed.messages, Message("assistant", answer), Message("user", "And then?"))
            next_turn = replace(prescribed, id="next", messages=messages, constraint=None, max_tokens=1)
            _, cached, after = await choices_of(engine, next_turn)
            assert after.usage.n_cached >= before.usage.n_prompt + n_usual - 2
        async with real_engine(model_path) as fresh:
            _, read, uncached = await choices_of(fresh, next_turn)
            assert uncached.usage.n_cached == 0
        # The cached tokens were decoded one by one. The new engine decodes them in one batch, where sums are rounded
        # differently.
        expected = dict(read[0].others)
        for token, logprob in cached[0].others[:2]:
            assert logprob == pytest.approx(expected[token], abs=0.2)

    asyncio.run(run())
