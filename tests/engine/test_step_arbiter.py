"""Engines take turns by step: the window first, then the one that has computed least."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.backend import Chunk, Limits, LoadSettings
from engine.engine import Engine
from engine.priority import Origin, Priority
from engine.requests import CompletionRequest, Sampling
from engine.step_arbiter import MAX_WAIT_S, StepArbiter, StepTurns
from tests.fakes import FakeBackend, FakeOpener, Script


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Member:
    """An engine, on a thread of its own, that computes steps of a given priority."""

    def __init__(self, arbiter: StepArbiter, priority: Priority) -> None:
        self.turns = arbiter.join(self._interrupt)
        self.priority = priority
        self.n_interrupted = 0
        self.has_turn = threading.Event()

    def _interrupt(self) -> None:
        self.n_interrupted += 1

    def begin(self) -> Member:
        """Asks for a turn, and returns when the engine has it or waits."""
        threading.Thread(target=self._begin, daemon=True).start()
        wait_until(lambda: self.has_turn.is_set() or self.turns in self.turns._arbiter.waiting)
        return self

    def _begin(self) -> None:
        self.turns.begin(lambda: self.priority)
        self.has_turn.set()

    def end(self, following: Priority | None = None) -> None:
        self.has_turn.clear()
        self.turns.end(lambda: following)

    @property
    def computes(self) -> bool:
        return self.has_turn.wait(5)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.001)


def test_lone_engine_never_waits_and_its_priority_is_not_computed() -> None:
    turns = StepArbiter().join()

    def unused() -> Priority:
        raise AssertionError

    for _ in range(3):
        turns.begin(unused)
        turns.end(unused)


def test_equal_engines_alternate_by_time_used() -> None:
    clock = Clock()
    arbiter = StepArbiter(clock)
    one, two = Member(arbiter, Priority.ENDPOINT), Member(arbiter, Priority.ENDPOINT)
    order = []
    one.begin()
    two.begin()
    for _ in range(4):
        now = one if one.has_turn.is_set() else two
        order.append(now is one)
        clock.now += 0.03 if now is one else 0.01
        now.end(Priority.ENDPOINT)
        now.begin()
        wait_until(lambda: one.has_turn.is_set() or two.has_turn.is_set())
        assert not (one.has_turn.is_set() and two.has_turn.is_set())
    assert order == [True, False, False, False], "one step of the first takes as long as three of the second"


def test_window_computes_step_after_step_while_the_endpoint_waits() -> None:
    clock = Clock()
    arbiter = StepArbiter(clock)
    window, endpoint = Member(arbiter, Priority.WINDOW), Member(arbiter, Priority.ENDPOINT)
    window.begin()
    endpoint.begin()
    for _ in range(5):
        clock.now += 0.1
        window.end(Priority.WINDOW)
        window.begin()
        assert window.computes
    window.end(None)
    assert endpoint.computes


def test_endpoint_gets_one_step_after_waiting_long() -> None:
    clock = Clock()
    arbiter = StepArbiter(clock)
    window, endpoint = Member(arbiter, Priority.WINDOW), Member(arbiter, Priority.ENDPOINT)
    window.begin()
    endpoint.begin()
    clock.now += MAX_WAIT_S
    window.end(Priority.WINDOW)
    assert endpoint.computes
    window.begin()
    assert not window.has_turn.is_set()
    endpoint.end(Priority.ENDPOINT)
    assert window.computes


def test_step_of_lower_priority_is_interrupted_and_equal_ones_are_not() -> None:
    arbiter = StepArbiter(Clock())
    low, equal, window = (Member(arbiter, each) for each in (Priority.BACKGROUND, Priority.BACKGROUND, Priority.WINDOW))
    low.begin()
    equal.begin()
    assert [low.n_interrupted, equal.n_interrupted] == [0, 0]
    before = low.turns.is_outranked
    window.begin()
    assert [low.n_interrupted, equal.n_interrupted] == [1, 0]
    assert (before, low.turns.is_outranked) == (False, True)
    low.end(Priority.BACKGROUND)
    assert window.computes


def test_reserved_turn_is_given_up_when_the_next_step_is_delayed() -> None:
    arbiter = StepArbiter(Clock())
    window, endpoint = Member(arbiter, Priority.WINDOW), Member(arbiter, Priority.ENDPOINT)
    window.begin()
    endpoint.begin()
    window.end(Priority.WINDOW)
    assert not endpoint.has_turn.is_set()
    window.turns.release()
    assert endpoint.computes
    window.turns.release()
    assert arbiter.holder is endpoint.turns, "a turn of another engine is not given up"


def test_engine_that_leaves_passes_its_reserved_turn_on() -> None:
    arbiter = StepArbiter(Clock())
    window, endpoint = Member(arbiter, Priority.WINDOW), Member(arbiter, Priority.ENDPOINT)
    window.begin()
    endpoint.begin()
    window.end(Priority.WINDOW)
    window.turns.leave()
    window.turns.leave()
    assert endpoint.computes
    assert arbiter.members == {endpoint.turns}


def test_engine_gives_way_when_it_waits_or_is_idle_and_not_between_its_steps() -> None:
    arbiter, given = StepArbiter(Clock()), list[str]()
    alone = arbiter.join(give_way=lambda: given.append("one"))
    alone.begin(lambda: Priority.WINDOW)
    alone.end(lambda: None)
    assert not given, "there is no other engine"
    two = Member(arbiter, Priority.ENDPOINT)
    for _ in range(2):
        alone.begin(lambda: Priority.WINDOW)
        alone.end(lambda: Priority.WINDOW)
    assert not given
    alone.begin(lambda: Priority.WINDOW)
    alone.end(lambda: None)
    assert given == ["one"], "it is idle"
    two.begin()
    waiting = threading.Thread(target=alone.begin, args=(lambda: Priority.WINDOW,))
    waiting.start()
    wait_until(lambda: len(given) == 2)
    two.end(None)
    waiting.join(20)
    assert not waiting.is_alive()


def test_random_steps_never_overlap_and_nobody_starves() -> None:
    arbiter, n_steps, overlap = StepArbiter(), 60, []
    running: list[StepTurns] = []

    def compute(turns: StepTurns, priority: Priority) -> None:
        for step in range(n_steps):
            turns.begin(lambda: priority)
            running.append(turns)
            overlap.extend([1] if len(running) > 1 else [])
            time.sleep(0.0002)
            running.remove(turns)
            following = priority if step % 7 else None
            turns.end(lambda following=following: following)  # type: ignore[misc]
            if not step % 5:
                turns.release()
        turns.leave()

    threads = [threading.Thread(target=compute, args=(arbiter.join(), each)) for each in Priority for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not overlap
    assert arbiter.holder is None


class Recorder(FakeOpener):
    """Opens fake models that record which of them computes."""

    computing: list[FakeBackend]

    def __init__(self, script: Script, computing: list[FakeBackend], order: list[FakeBackend]) -> None:
        super().__init__(script, Limits(4096, 8, 64, prompt_cut=64))
        self.computing, self.order = computing, order

    def __call__(self, path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> FakeBackend:
        backend = super().__call__(path, settings, on_progress)
        decode = backend.decode

        def recorded(chunks: Sequence[Chunk], n_threads: int, *, interruptible: bool = False) -> None:
            self.computing.append(backend)
            assert len(self.computing) == 1, "two models compute at once"
            self.order.append(backend)
            try:
                decode(chunks, n_threads, interruptible=interruptible)
            finally:
                self.computing.remove(backend)

        backend.decode = recorded  # type: ignore[method-assign]
        return backend


def completion(origin: Origin, n_tokens: int, n_prompt: int = 3) -> CompletionRequest:
    return CompletionRequest("a" * n_prompt, origin, Sampling(temperature=0.9), max_tokens=n_tokens)


def test_models_compute_one_at_a_time_and_all_requests_end() -> None:
    async def story() -> None:
        arbiter, computing, order = StepArbiter(), list[FakeBackend](), list[FakeBackend]()
        openers = [Recorder(Script(step_s=0.0005), computing, order) for _ in range(3)]
        engines = [Engine(opener, arbiter=arbiter) for opener in openers]
        for engine in engines:
            await engine.load(Path("a.gguf"))
        streams = [engine.submit(completion("endpoint", 40)) for engine in engines for _ in range(2)]
        for stream in streams:
            _, finished = await stream.collect()
            assert finished.usage.n_output == 40
        assert all(opener.backends[0].n_freed_threads for opener in openers)
        assert {id(backend) for backend in order} == {id(opener.backends[0]) for opener in openers}
        for engine in engines:
            await engine.aclose()
        assert not arbiter.members

    asyncio.run(story())


def test_answer_in_the_window_is_computed_before_the_other_model_goes_on() -> None:
    async def story() -> None:
        arbiter, order = StepArbiter(), list[FakeBackend]()
        one, two = (Recorder(Script(step_s=0.002), list[FakeBackend](), order) for _ in range(2))
        window, other = Engine(one, arbiter=arbiter), Engine(two, arbiter=arbiter)
        await window.load(Path("a.gguf"))
        await other.load(Path("b.gguf"))
        busy = other.submit(completion("endpoint", 3000))
        await anext(busy)
        del order[:]
        await window.submit(completion("window", 50)).collect()
        n_other = sum(1 for backend in order if backend is two.backends[0])
        assert n_other < 25, "the window's model computes most of the steps"
        busy.cancel()
        await window.aclose()
        await other.aclose()

    asyncio.run(story())


def test_long_prompt_of_the_endpoint_is_interrupted_for_the_window() -> None:
    async def story() -> None:
        arbiter = StepArbiter()
        slow = FakeOpener(Script(b"Yes.", token_s=0.04), Limits(n_cells=4096, n_slots=8, n_batch=64))
        quick = FakeOpener(Script(b"Yes."))
        window, other = Engine(quick, arbiter=arbiter), Engine(slow, arbiter=arbiter)
        await window.load(Path("a.gguf"))
        await other.load(Path("b.gguf"))
        busy = other.submit(completion("endpoint", 1, n_prompt=640))
        await asyncio.to_thread(
            wait_until, lambda: slow.backends[0].is_interruptible and slow.backends[0].n_decodes > 1
        )
        await window.submit(completion("window", 2)).collect()
        assert slow.backends[0].n_interrupted == 1
        busy.cancel()
        await window.aclose()
        await other.aclose()

    asyncio.run(story())
