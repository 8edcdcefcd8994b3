"""For every kind of KV memory, answers from cached prefixes equal uncached answers token by token.

An uncached answer is given by a new engine, which decodes the whole prompt. Cached and uncached sums are rounded
differently. So only prompts are used whose answers contain no near tie, that is, no two tokens of nearly equal
probability."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.backend import Chunk, LoadSettings
from engine.engine import Engine
from engine.errors import KvCacheFull
from engine.events import Failed, Finished, TextDelta
from engine.native.backend import NativeBackend
from engine.priority import Origin
from engine.requests import GREEDY, CompletionRequest, Sampling
from tests.model_files.tiny_models import LETTERS, TINY_MODELS, TinyModel

N_OUT = 24
LIKELIEST = Sampling(temperature=1.0, top_k=1)
"""Takes the likeliest token, as greedy sampling does. But a greedy request that runs alone would compute most cached
tokens again, so that they are rounded as in an uncached run."""

MIN_LEAD = 0.08
"""The minimum difference in log probability between each token of an answer and the second likeliest token. Rounding
errors are smaller."""


@dataclass
class Kind:
    """A tiny model with one kind of KV memory. Creates random prompts, together with the model's uncached answers."""

    model: TinyModel
    path: Path
    random: random.Random = field(default_factory=lambda: random.Random(11))

    async def prompt(self, start: str, n: int, n_out: int = N_OUT) -> tuple[str, str]:
        """Returns a prompt, which is `start` followed by `n` random characters, and its uncached answer. The answer
        contains no near tie."""
        for _ in range(50):
            prompt = start + "".join(self.random.choices(LETTERS, k=n))
            answer, lead = await self._uncached(prompt, n_out)
            if lead > MIN_LEAD:
                return prompt, answer
        raise AssertionError("no prompt has an answer without a near tie")

    async def answer(self, prompt: str, n_out: int = N_OUT) -> str:
        """The uncached answer to a prompt. The caller must choose a prompt whose answer contains no near tie."""
        return (await self._uncached(prompt, n_out))[0]

    @asynccontextmanager
    async def engine(self, n_ctx: int = 1024, snapshots: Path | None = None) -> AsyncIterator[Engine]:
        engine = Engine(snapshots=snapshots)
        await engine.load(self.path, LoadSettings(n_ctx=n_ctx, n_threads=1))
        try:
            yield engine
        finally:
            await engine.aclose()

    async def _uncached(self, prompt: str, n_out: int) -> tuple[str, float]:
        text, lead = "", float("inf")
        async with self.engine() as engine:
            request = CompletionRequest(prompt, "window", GREEDY, max_tokens=n_out, n_logprobs=2)
            async for event in engine.submit(request):
                match event:
                    case TextDelta():
                        text += event.text
                        lead = min([lead, *(each.others[0][1] - each.others[1][1] for each in event.choices)])
                    case Failed(error=error):
                        raise error
                    case Finished(usage=usage):
                        assert usage.n_cached == 0
        return text, lead


@pytest.fixture(scope="session", params=sorted(TINY_MODELS))
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[TinyModel, Path]:
    model = TINY_MODELS[request.param]
    return model, model.write(tmp_path_factory.mktemp("tiny") / f"{model.name}.gguf")


@pytest.fixture
def kind(file: tuple[TinyModel, Path]) -> Kind:
    """A new `Kind` for each test, so that the prompts of a test do not depend on the tests before it."""
    return Kind(*file)


def another(letter: str, n: int) -> str:
    return LETTERS[LETTERS.index(letter) - n]


async def ask(engine: Engine, prompt: str, n_out: int = N_OUT, origin: Origin = "window") -> tuple[str, int]:
    """Submits a prompt. Returns the answer, and the number of prompt tokens that were cached."""
    text, finished = await engine.submit(
        CompletionRequest(prompt, origin, LIKELIEST, max_tokens=n_out, n_draft_max=0)
    ).collect()
    assert finished.usage.n_prompt == len(prompt) + 1, "expected one token per letter after the first token"
    return text, finished.usage.n_cached


def test_tiny_models_give_varied_answers_that_depend_on_the_prompt(kind: Kind) -> None:
    """The other tests compare answers, which would prove nothing if the model always gave the same answer."""

    async def run() -> None:
        n_changed = 0
        for _ in range(4):
            prompt, answer = await kind.prompt("", 150)
            assert len(answer) == N_OUT
            assert len(set(answer)) >= 6
            for at in (0, 40, 80):
                other = prompt[:at] + another(prompt[at], 7) + prompt[at + 1 :]
                n_changed += await kind.answer(other) != answer
        assert n_changed >= 6, "early characters hardly influence the answer"

    asyncio.run(run())


def test_answers_to_later_turns_equal_uncached_answers(kind: Kind) -> None:
    async def run() -> None:
        async with kind.engine() as engine:
            prompt, expected = await kind.prompt("", 150)
            assert await ask(engine, prompt) == (expected, 0)
            for _ in range(3):
                cached = prompt + expected
                prompt, expected = await kind.prompt(cached, 30)
                # The last token of an answer is sampled but not decoded, so it has no KV state.
                assert await ask(engine, prompt) == (expected, len(cached))

    asyncio.run(run())


def test_answers_to_repeated_and_edited_prompts_equal_uncached_answers(kind: Kind) -> None:
    async def run() -> None:
        supports_truncation = kind.model.supports_truncation
        async with kind.engine() as engine:
            first, expected = await kind.prompt("", 150)
            assert await ask(engine, first) == (expected, 0)
            assert await ask(engine, first) == (expected, 150)
            for at in (120, 60, 90):
                edited, other = await kind.prompt(first[:at] + another(first[at], 7), 50)
                answer, n_cached = await ask(engine, edited)
                assert (answer, n_cached == at + 1) == (other, supports_truncation)
                edited, other = await kind.prompt(first[:at] + another(first[at], 9), 50)
                assert await ask(engine, edited) == (other, at + 1), (
                    "a branch did not reuse the prefix of an earlier branch"
                )
            assert await ask(engine, first) == (expected, 150)
            longer, further = await kind.prompt(first + expected, 20)
            assert await ask(engine, longer) == (further, 150 + N_OUT), "the first answer was evicted"

    asyncio.run(run())


def test_answers_to_concurrent_requests_equal_uncached_answers(kind: Kind) -> None:
    async def run() -> None:
        async with kind.engine(2048) as engine:
            prompt, expected = await kind.prompt("", 150)
            answers = await asyncio.gather(*(ask(engine, prompt) for _ in range(4)))
            assert [answer for answer, _ in answers] == [expected] * 4
            assert sorted(n_cached for _, n_cached in answers) == [0, 150, 150, 150]
            branches = [await kind.prompt(prompt + expected, 10 + 7 * n) for n in range(5)]
            answers = await asyncio.gather(*(ask(engine, branch) for branch, _ in branches))
            assert [answer for answer, _ in answers] == [further for _, further in branches]
            assert min(n_cached for _, n_cached in answers) >= 150 + N_OUT

    asyncio.run(run())


def test_answers_from_restored_snapshots_equal_uncached_answers(kind: Kind, tmp_path: Path) -> None:
    async def run() -> None:
        supports_full_rollback = kind.model.supports_truncation and not kind.model.window
        first, expected = await kind.prompt("", 300)
        longer, further = await kind.prompt(first + expected, 20)
        edited, other = await kind.prompt(first[:200], 40)
        async with kind.engine(snapshots=tmp_path) as engine:
            assert await ask(engine, first) == (expected, 0)
        async with kind.engine(snapshots=tmp_path) as engine:
            assert await ask(engine, first) == (expected, 300)
            answer, n_cached = await ask(engine, longer)
            # The KV snapshot was saved after the prompt; the answer was too short for a second snapshot.
            assert (answer, n_cached >= 300) == (further, True)
        for known in (200 if supports_full_rollback else 0, 200):
            async with kind.engine(snapshots=tmp_path) as engine:
                answer, n_cached = await ask(engine, edited)
                assert (answer, n_cached >= known) == (other, True)

    asyncio.run(run())


def test_answers_to_edits_of_restored_chats_equal_uncached_answers(kind: Kind, tmp_path: Path) -> None:
    """The KV state is restored from disk, extended by a turn, and truncated for an edited prompt."""

    async def run() -> None:
        first, expected = await kind.prompt("", 200)
        longer, further = await kind.prompt(first + expected, 60)
        edits = [await kind.prompt(longer[:at], 30) for at in (150, 215, 235, 270)]
        async with kind.engine(snapshots=tmp_path) as engine:
            await ask(engine, first)
        async with kind.engine(snapshots=tmp_path) as engine:
            assert (await ask(engine, longer))[0] == further
            for edited, other in edits:
                assert (await ask(engine, edited))[0] == other

    asyncio.run(run())


@pytest.mark.parametrize("n_ctx", [256, 512])
def test_answers_after_eviction_equal_uncached_answers(kind: Kind, n_ctx: int) -> None:
    """The cached prefix of a prompt is evicted. When the prompt is sent again, the answer is the same."""

    async def run() -> None:
        prompts = [await kind.prompt("", n, 40) for n in (110, 70, 75, 100, 60, 80)]
        origins: Sequence[Origin] = ("endpoint", "endpoint", "window", "endpoint", "endpoint", "window")
        async with kind.engine(n_ctx) as engine:
            for _ in range(2):
                answers = await asyncio.gather(
                    *(ask(engine, prompt, 40, origin) for (prompt, _), origin in zip(prompts, origins, strict=True))
                )
                assert [answer for answer, _ in answers] == [expected for _, expected in prompts]

    asyncio.run(run())


def test_background_request_does_not_evict_a_chat(kind: Kind) -> None:
    async def run() -> None:
        async with kind.engine(256) as engine:
            chat, expected = await kind.prompt("", 120)
            assert await ask(engine, chat) == (expected, 0)
            title, named = await kind.prompt("", 60)
            background = CompletionRequest(title, "window", LIKELIEST, max_tokens=N_OUT, background=True)
            assert (await engine.submit(background).collect())[0] == named
            with pytest.raises(KvCacheFull):
                await engine.submit(CompletionRequest("ab" * 70, "window", GREEDY, background=True)).collect()
            longer, further = await kind.prompt(chat + expected, 20)
            assert await ask(engine, longer) == (further, 120 + N_OUT)

    asyncio.run(run())


def test_request_may_fill_the_whole_context_while_other_requests_run(kind: Kind) -> None:
    async def run() -> None:
        endless = Sampling(temperature=0.0, ignore_eos=True)
        tools = [await kind.prompt("", n, 40) for n in (110, 100, 90)]
        async with kind.engine(256) as engine:
            origins: tuple[Origin, Origin] = ("window", "endpoint")
            for origin in origins:
                beside = [asyncio.create_task(ask(engine, prompt, 40, "endpoint")) for prompt, _ in tools]
                _, finished = await engine.submit(CompletionRequest("abc" * 30, origin, endless)).collect()
                answers = await asyncio.gather(*beside)
                assert finished.reason == "length"
                assert finished.usage.n_prompt + finished.usage.n_output == 257, "the last token needs no cell"
                assert [answer for answer, _ in answers] == [expected for _, expected in tools]

    asyncio.run(run())


def test_preempted_request_resumes_without_computing_tokens_again(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request of the window preempts a request of the endpoint. The KV state of the preempted request is saved, and
    restored later."""
    decode, computed, go_on = NativeBackend.decode, list[int](), threading.Event()

    def count_tokens(
        backend: NativeBackend, chunks: Sequence[Chunk], n_threads: int, *, interruptible: bool = False
    ) -> None:
        time.sleep(0.003)
        if sum(computed) > 121:  # after the first tokens of the endpoint's answer
            assert go_on.wait(20)
        computed.append(sum(len(chunk.tokens) for chunk in chunks))
        decode(backend, chunks, n_threads, interruptible=interruptible)

    async def run() -> None:
        tool, expected = await kind.prompt("", 120, 60)
        window_prompt, answer = await kind.prompt("", 110, 60)
        monkeypatch.setattr(NativeBackend, "decode", count_tokens)
        async with kind.engine(256, tmp_path) as engine:
            stream = engine.submit(CompletionRequest(tool, "endpoint", LIKELIEST, max_tokens=60, n_draft_max=0))
            text_before = ""
            async for event in stream:
                if isinstance(event, TextDelta):
                    text_before += event.text
                    break
            beside = asyncio.create_task(ask(engine, window_prompt, 60))
            await asyncio.sleep(0)
            await engine._prompts.drain()  # the prompt of the window is now built and queued
            go_on.set()
            rest, _ = await stream.collect()
            assert beside.done(), "the endpoint request was not preempted"
            assert (text_before + rest, (await beside)[0]) == (expected, answer)
        # No token is computed twice. A prompt has one token more than characters, and the two prompts may share this
        # token. The last token of each answer is not computed.
        assert sum(computed) - (121 + 59 + 111 + 59) in (-1, 0)

    asyncio.run(run())


@pytest.mark.parametrize(("n_ctx", "seed"), [(512, 1), (1024, 3)])
def test_answers_in_random_chats_equal_uncached_answers(kind: Kind, n_ctx: int, seed: int, tmp_path: Path) -> None:
    """Turns, edits and new chats in random order, with a restart in the middle. The KV memory is too small for all
    chats."""

    async def run() -> None:
        rng = random.Random(seed)
        chats = [""] * 4
        n_cached = 0
        for _ in range(2):
            async with kind.engine(n_ctx, tmp_path) as engine:
                for _ in range(18):
                    at = rng.randrange(len(chats))
                    chat = chats[at]
                    match rng.random():
                        case turn if turn > 0.55 and len(chat) < 300:
                            start = chat
                        case turn if turn > 0.1:
                            start = chat[: rng.randrange(len(chat) + 1)]
                        case _:
                            start = ""
                    prompt, expected = await kind.prompt(start, rng.randrange(3, 90))
                    answer, n = await ask(engine, prompt)
                    assert answer == expected, (at, len(start), len(prompt), n)
                    chats[at] = prompt + expected
                    n_cached += n
        assert n_cached > 500

    asyncio.run(run())
