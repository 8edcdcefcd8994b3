"""Sequences with different adapter scales take turns, and KV memory holds the states of one turn only."""

from __future__ import annotations

from engine.adapter import AdapterScales
from engine.priority import Priority
from engine.scheduler.adapter_turns import TURN_STEPS
from engine.scheduler.sequence import SequenceState
from tests.engine.scheduler.scheduler_harness import LIMITS, CachedScheduler, KvMemoryModel, commit_all, sequence

HALF: AdapterScales = (0.5,)
FULL: AdapterScales = (1.0,)


class Turns:
    """Runs a scheduler and records the ids of each step's sequences."""

    def __init__(self) -> None:
        self.memory = KvMemoryModel(LIMITS)
        self.scheduler = CachedScheduler(LIMITS, self.memory)
        self.steps: list[list[str]] = []

    def add(
        self, name: str, scales: AdapterScales = (), priority: Priority = Priority.ENDPOINT, kind: int = 0, n: int = 20
    ) -> SequenceState:
        new = sequence(name, 4, priority, max_tokens=n, kind=kind)
        new.adapter_scales = scales
        self.scheduler.add(new)
        return new

    def step(self) -> None:
        scales = self.scheduler.switch_adapters()
        if scales is not None:
            for op in self.scheduler.cache.take_ops():
                self.memory.execute(op)
            self.memory.select(scales)
        plan = self.scheduler.plan(16)
        for op in plan.ops:
            self.memory.execute(op)
        for entry in plan.entries:
            self.memory.compute(entry.chunk.slot, entry.chunk.start, entry.chunk.tokens)
        self.steps.append([entry.sequence.id for entry in plan.entries])
        commit_all(self.scheduler, plan)

    def finish(self) -> None:
        while not self.scheduler.idle:
            self.step()


def test_sequences_with_different_scales_are_never_in_one_step() -> None:
    turns = Turns()
    for name, scales in (("a", ()), ("half", HALF), ("b", ()), ("full", FULL)):
        turns.add(name, scales)
    turns.finish()
    assert {tuple(step) for step in turns.steps} >= {("a", "b"), ("half",), ("full",)}
    assert not any(len(step) > 1 and step != ["a", "b"] for step in turns.steps)


def test_turn_ends_after_a_number_of_steps_and_nothing_is_computed_twice() -> None:
    turns = Turns()
    turns.add("plain", n=40)
    turns.step()
    turns.add("half", HALF, n=40, kind=1)
    turns.finish()
    assert turns.steps[TURN_STEPS - 1] == ["plain"]
    assert turns.steps[TURN_STEPS] == ["half"]
    assert len(turns.steps) == 2 * 41, "a prompt that runs alone takes two steps"


def test_three_scales_get_their_turns_in_rotation() -> None:
    turns = Turns()
    for kind, scales in enumerate([(), HALF, FULL]):
        for name in range(3):
            turns.add(f"{scales} {name}", scales, kind=kind, n=44)
    turns.finish()
    order = [step[0].rpartition(" ")[0] for step in turns.steps]
    changes = [name for at, name in enumerate(order) if not at or order[at - 1] != name]
    assert changes[:6] == ["()", "(0.5,)", "(1.0,)", "()", "(0.5,)", "(1.0,)"]


def test_states_that_host_memory_cannot_hold_do_not_end_a_turn_early() -> None:
    turns = Turns()
    turns.memory.max_saved_tokens = 0
    turns.add("plain", n=40)
    turns.step()
    turns.add("half", HALF)
    for _ in range(5):
        turns.step()
    turns.add("later")
    turns.finish()
    names = [step[0] for step in turns.steps]
    assert names[:41] == ["plain"] * 41
    assert names[41] == "half", "a sequence that came later must not prolong the turn"


def test_window_request_ends_the_turn_of_endpoint_requests_at_once() -> None:
    turns = Turns()
    turns.add("tool", HALF)
    turns.step()
    turns.add("person", priority=Priority.WINDOW)
    turns.step()
    assert turns.steps[-1] == ["person"]
    turns.add("other tool", FULL)
    turns.finish()
    names = [step[0] for step in turns.steps]
    assert names[1:21] == ["person"] * 20, "a lower priority waits until the window's answer has ended"


def test_idle_prefix_is_reused_only_with_its_scales() -> None:
    turns = Turns()
    lengths = []
    for name, scales in (("a", ()), ("b", HALF), ("c", HALF), ("d", ())):
        long = SequenceState(name, Priority.ENDPOINT, tuple(range(1, 31)), 2, adapter_scales=scales)
        turns.scheduler.add(long)
        turns.finish()
        lengths.append(long.n_cached)
    assert lengths == [0, 0, 29, 29]
