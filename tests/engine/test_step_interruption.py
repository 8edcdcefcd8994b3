"""Long decodes that only read prompts are interrupted by cancellations, by requests that go before them, and by closing
the engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from engine.backend import Chunk, Interrupted, Limits
from engine.engine import Engine
from engine.events import Finished
from engine.priority import Origin, Priority
from engine.request_state import RequestState
from engine.requests import CompletionRequest, Sampling
from engine.scheduler.sequence import SequenceState
from engine.step_interruption import StepInterruption
from engine.stream import RequestStream
from tests.fakes import FakeBackend, FakeOpener, Script

TOKEN_S = 0.04
SLICE_S = 64 * TOKEN_S
LIMITS = Limits(n_cells=4096, n_slots=8, n_batch=64)


def completion(n_tokens: int, origin: Origin = "endpoint", kind: str = "a") -> CompletionRequest:
    return CompletionRequest(kind * n_tokens, origin, Sampling(temperature=0.9), max_tokens=1)


class SlowEngine:
    """An engine with a fake backend that computes a slice of a prompt in 2.6 s, and a request with a long prompt that
    is being read."""

    def __init__(self) -> None:
        self.opener = FakeOpener(Script(b"Yes.", token_s=TOKEN_S), LIMITS)
        self.engine = Engine(self.opener)

    @property
    def backend(self) -> FakeBackend:
        return self.opener.backends[-1]

    async def start(self, origin: Origin = "endpoint") -> RequestStream:
        await self.engine.load(Path("fake.gguf"))
        long = self.engine.submit(completion(1000, origin))
        await self.until_decoding(1)
        return long

    async def until_decoding(self, n_decodes: int) -> None:
        async with asyncio.timeout(10):
            while not (self.backend.n_decodes >= n_decodes and self.backend.is_interruptible):  # noqa: ASYNC110
                await asyncio.sleep(0.002)


async def seconds_of(awaitable: object) -> float:
    started = time.monotonic()
    await awaitable  # type: ignore[misc]
    return time.monotonic() - started


def test_cancel_while_a_prompt_is_read_ends_the_request_within_milliseconds() -> None:
    async def run() -> None:
        slow = SlowEngine()
        long = await slow.start()
        long.cancel()
        ended = asyncio.create_task(_last(long))
        assert await seconds_of(ended) < SLICE_S / 4
        assert ended.result().reason == "cancelled"
        assert slow.backend.n_interrupted == 1
        await slow.engine.aclose()

    asyncio.run(run())


async def _last(stream: RequestStream) -> Finished:
    events = [event async for event in stream]
    assert isinstance(events[-1], Finished)
    return events[-1]


def test_close_while_a_prompt_is_read_takes_milliseconds() -> None:
    async def run() -> None:
        slow = SlowEngine()
        await slow.start()
        assert await seconds_of(slow.engine.aclose()) < SLICE_S / 4

    asyncio.run(run())


def test_unload_while_a_prompt_is_read_takes_milliseconds() -> None:
    async def run() -> None:
        slow = SlowEngine()
        await slow.start()
        assert await seconds_of(slow.engine.unload()) < SLICE_S / 4
        await slow.engine.aclose()

    asyncio.run(run())


def test_short_prompt_interrupts_a_long_one_and_the_long_one_is_answered_as_if_alone() -> None:
    async def run() -> None:
        slow = SlowEngine()
        long = await slow.start()
        short = asyncio.create_task(slow.engine.submit(completion(10, kind="b")).collect())
        assert await seconds_of(short) < SLICE_S / 2
        assert slow.backend.n_interrupted == 1
        slow.opener.script.token_s = 0.0
        text, finished = await long.collect()
        assert (text, finished.usage.n_prompt, finished.usage.n_cached) == ("Y", 1000, 0)
        await slow.engine.aclose()

    asyncio.run(run())


def test_window_request_interrupts_a_shorter_endpoint_prompt_but_not_the_reverse() -> None:
    async def run() -> None:
        for origin, other, n_interrupted in (("endpoint", "window", 1), ("window", "endpoint", 0)):
            slow = SlowEngine()
            await slow.start(origin)  # type: ignore[arg-type]
            slow.engine.submit(completion(1200, other, "b"))  # type: ignore[arg-type]
            await asyncio.sleep(0.1)
            assert slow.backend.n_interrupted == n_interrupted
            await slow.engine.aclose()

    asyncio.run(run())


def test_prompt_that_was_interrupted_is_not_interrupted_again_by_requests_before_it_advances() -> None:
    async def run() -> None:
        slow = SlowEngine()
        long = await slow.start()
        for kind in "bcd":
            await slow.engine.submit(completion(4, kind=kind)).collect()
        progress = slow.engine.progress(long.request_id)
        assert progress is not None
        assert slow.backend.n_interrupted == 1 or progress.n_read > 0
        await slow.engine.aclose()

    asyncio.run(run())


class Scene:
    """A StepInterruption on a fake clock, and the step that it may interrupt."""

    def __init__(self, has_actions: Callable[[], bool] = lambda: False) -> None:
        self.n_interruptions = 0
        self.now_s = 0.0
        self.interruption = StepInterruption(self, has_actions, lambda: self.now_s)  # type: ignore[arg-type]
        self.sequence = SequenceState("long", Priority.ENDPOINT, (1,) * 1000, 1)
        self.state = self.request(1000)

    def allow_interruption(self) -> None:
        pass

    def interrupt(self) -> None:
        self.n_interruptions += 1

    def request(self, n_tokens: int) -> RequestState:
        stream = RequestStream("any", None, lambda _: None)  # type: ignore[arg-type]
        state = RequestState(completion(n_tokens), stream, 0.0)
        state.prompt = (1,) * n_tokens
        return state

    def begin(self, forecast_s: float = 1.0) -> bool:
        return self.interruption.begin([self.sequence], [self.state], forecast_s)


def test_request_that_arrives_between_two_steps_interrupts_neither() -> None:
    scene = Scene()
    assert scene.begin()
    scene.interruption.end()
    scene.interruption.submitted(scene.request(10))
    assert scene.begin()
    assert scene.n_interruptions == 0
    scene.interruption.submitted(scene.request(10))
    assert scene.n_interruptions == 1


def test_step_does_not_begin_if_an_action_was_queued_before_unless_it_was_interrupted() -> None:
    scene = Scene(lambda: True)
    assert not scene.begin()
    scene.interruption.submitted(scene.request(10))
    assert scene.n_interruptions == 0, "the step has not begun"
    scene.sequence.was_interrupted = True
    assert scene.begin(), "prompts advance even if actions are queued all the time"
    scene.interruption.submitted(scene.request(10))
    assert scene.n_interruptions == 0
    scene.state.cancelled.set()
    scene.interruption.cancelled()
    assert scene.n_interruptions == 1


def test_interruption_between_the_begin_of_a_step_and_its_decode_ends_the_decode() -> None:
    class LateBackend(FakeBackend):
        def decode(self, chunks: Sequence[Chunk], n_threads: int, *, interruptible: bool = False) -> None:
            if interruptible:
                interruption.closing()
            super().decode(chunks, n_threads, interruptible=interruptible)

    backend = LateBackend(Script(b"Yes.", token_s=TOKEN_S), LIMITS)
    interruption = StepInterruption(backend, lambda: False, lambda: 0.0)
    scene = Scene()
    assert interruption.begin([scene.sequence], [scene.state], SLICE_S)
    with pytest.raises(Interrupted):
        backend.decode([Chunk(0, 0, [1] * 64, sample_last=False)], 1, interruptible=True)


def test_step_that_ends_soon_is_not_interrupted() -> None:
    scene = Scene()
    scene.begin(1.0)
    scene.now_s = 0.96
    scene.interruption.submitted(scene.request(10))
    assert scene.n_interruptions == 0
    scene.now_s = 0.5
    scene.interruption.submitted(scene.request(10))
    assert scene.n_interruptions == 1


def test_sequence_that_computes_cached_tokens_again_is_interrupted_by_any_request() -> None:
    scene = Scene()
    scene.sequence.n_recomputed = 900
    scene.begin()
    scene.interruption.submitted(scene.request(2000))
    assert scene.n_interruptions == 1
    scene.sequence.n_computed = 512
    scene.begin()
    scene.interruption.submitted(scene.request(2000))
    assert scene.n_interruptions == 1, "it would lose more than it would gain"
