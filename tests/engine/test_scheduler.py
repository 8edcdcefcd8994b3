"""The scheduler as a state machine: whatever is added, cancelled, refused room, its rules hold."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.backend import Limits
from engine.requests import Door
from engine.schedule.scheduler import BatchPlan, Scheduler
from engine.schedule.sequence import Sequence

END = 99
LIMITS = Limits(n_cells=48, n_slots=4, n_batch=16)


def sequence(name: str, n_prompt: int, door: Door = "endpoint", max_tokens: int = 8) -> Sequence:
    return Sequence(name, door, tuple(range(n_prompt)), max_tokens)


def commit_all(scheduler: Scheduler, plan: BatchPlan, token: int = 1) -> list[str]:
    """Gives every entry that samples the same token; the ids of those that finished."""
    sampled = {entry.sequence.id: token for entry in plan.entries if entry.chunk.samples}
    return [outcome.sequence.id for outcome in scheduler.commit(plan, sampled) if outcome.finish]


class SchedulerMachine(RuleBasedStateMachine):
    """Also keeps, on its own, what the KV memory would hold for each slot."""

    def __init__(self) -> None:
        super().__init__()
        self.scheduler = Scheduler(LIMITS, frozenset({END}))
        self.live: dict[str, Sequence] = {}
        self.finished: set[str] = set()
        self.cells: dict[int, list[int]] = {}
        self.n_added = 0

    @rule(
        n_prompt=st.integers(1, LIMITS.n_cells - 1),
        max_tokens=st.integers(1, 60),
        door=st.sampled_from(["window", "endpoint"]),
    )
    def add(self, n_prompt: int, max_tokens: int, door: Door) -> None:
        new = sequence(str(self.n_added), n_prompt, door, max_tokens)
        self.n_added += 1
        self.scheduler.add(new)
        self.live[new.id] = new

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.live)))
        self.scheduler.remove(self.live[name])
        self.scheduler.remove(self.live.pop(name))

    @precondition(lambda self: self.live)
    @rule(budget=st.integers(1, 32), token=st.sampled_from([1, 1, 1, END]))
    def step(self, budget: int, token: int) -> None:
        plan = self.compute(budget)
        decodes = [entry for entry in plan.entries if len(entry.chunk.tokens) == 1 and entry.chunk.samples]
        assert plan.n_tokens - len(decodes) <= budget
        self.take(commit_all(self.scheduler, plan, token))

    @precondition(lambda self: self.live)
    @rule()
    def no_room(self) -> None:
        plan = self.scheduler.plan(8)
        for slot in plan.cleared:
            self.cells.pop(slot, None)
        n_running = len(self.scheduler.running)
        assert self.scheduler.preempt() == (n_running > 1)

    def compute(self, budget: int) -> BatchPlan:
        plan = self.scheduler.plan(budget)
        assert plan.entries, "work is left, but the plan is empty"
        for slot in plan.cleared:
            self.cells.pop(slot, None)
        row = -1
        for entry in plan.entries:
            held = self.cells.setdefault(entry.chunk.slot, [])
            assert entry.chunk.start == len(held), "a slot's cells and its sequence disagree"
            held.extend(entry.chunk.tokens)
            assert held == entry.sequence.tokens[: len(held)]
            assert entry.chunk.samples == (len(held) == len(entry.sequence.tokens))
            row += len(entry.chunk.tokens)
            assert entry.row == row
        assert plan.n_tokens <= LIMITS.n_batch
        assert sum(map(len, self.cells.values())) <= LIMITS.n_cells
        return plan

    def take(self, names: list[str]) -> None:
        for name in names:
            assert name not in self.finished, "a sequence finished twice"
            self.finished.add(name)
            del self.live[name]

    @invariant()
    def slots_are_unique_and_counted(self) -> None:
        slots = [each.slot for each in self.scheduler.running]
        assert None not in slots
        assert len(set(slots)) == len(slots)
        assert self.scheduler.free_slots + len(slots) == LIMITS.n_slots

    @invariant()
    def nobody_is_lost(self) -> None:
        known = {each.id for each in (*self.scheduler.running, *self.scheduler.waiting)}
        assert known == set(self.live)

    @invariant()
    def the_window_waits_for_no_endpoint(self) -> None:
        if any(each.door == "window" for each in self.scheduler.waiting):
            return  # just added: admitted with the next plan
        for window in (each for each in self.scheduler.running if each.door == "window"):
            assert all(window.rank < each.rank for each in self.scheduler.running if each.door == "endpoint")

    def teardown(self) -> None:
        for _ in range(20_000):
            if self.scheduler.idle:
                break
            self.take(commit_all(self.scheduler, self.compute(16)))
        assert self.scheduler.idle, "somebody starves"
        assert self.scheduler.free_slots == LIMITS.n_slots
        assert not self.live


SchedulerMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestScheduler = SchedulerMachine.TestCase


def test_several_sequences_decode_in_one_batch() -> None:
    scheduler = Scheduler(LIMITS, frozenset())
    for name in "abc":
        scheduler.add(sequence(name, 2))
    commit_all(scheduler, scheduler.plan(16))
    assert [entry.sequence.id for entry in scheduler.plan(16).entries] == ["a", "b", "c"]


def test_a_decode_goes_before_prompts_and_is_outside_their_budget() -> None:
    scheduler = Scheduler(LIMITS, frozenset())
    scheduler.add(sequence("writing", 1, "window"))
    commit_all(scheduler, scheduler.plan(16))
    scheduler.add(sequence("reading", 12))
    plan = scheduler.plan(4)
    assert [(entry.sequence.id, len(entry.chunk.tokens)) for entry in plan.entries] == [("writing", 1), ("reading", 4)]


def test_the_window_takes_the_place_of_the_endpoint_when_memory_is_full() -> None:
    scheduler = Scheduler(LIMITS, frozenset())
    tool = sequence("tool", 40)
    scheduler.add(tool)
    commit_all(scheduler, scheduler.plan(16))
    scheduler.add(sequence("person", 30, "window"))
    plan = scheduler.plan(16)
    assert [entry.sequence.id for entry in plan.entries] == ["person"]
    assert tool in scheduler.waiting
    assert tool.n_computed == 0
    assert len(plan.cleared) == 1


def test_a_prompt_without_room_for_an_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="48 tokens for 48 cells"):
        Scheduler(LIMITS, frozenset()).add(sequence("long", 48))


def test_the_context_is_filled_to_its_last_cell() -> None:
    scheduler = Scheduler(LIMITS, frozenset())
    only = sequence("only", 10, max_tokens=1000)
    scheduler.add(only)
    while not scheduler.idle:
        finished = commit_all(scheduler, scheduler.plan(16))
    assert finished == ["only"]
    assert only.n_output == LIMITS.n_cells - 10 + 1
