"""The scheduler as a state machine: whatever is added, cancelled, refused room, its rules hold."""

from __future__ import annotations

from collections.abc import Sequence as Tokens
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.backend import Limits
from engine.cache.moves import Clear, Copy, Cut, Move, Restore, Save
from engine.cache.prefixes import n_common
from engine.schedule.plan import BatchPlan
from engine.schedule.scheduler import Scheduler
from engine.schedule.sequence import BACKGROUND, ENDPOINT, WINDOW, Sequence

END = 99
LIMITS = Limits(n_cells=48, n_slots=6, n_batch=16, n_running=4, n_outputs=12)
STATEFUL = replace(LIMITS, can_cut=False)


def sequence(name: str, n_prompt: int, rank: int = ENDPOINT, max_tokens: int = 8, kind: int = 0) -> Sequence:
    """Prompts of one kind begin alike: token 0 is the kind, the rest count up."""
    return Sequence(name, rank, (kind, *range(1, n_prompt)), max_tokens)


class Memory:
    """The KV memory as llama.cpp would have it: slots of cells, which several slots may share."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.slots: dict[int, list[tuple[int, int]]] = {}
        """Slot → (cell, token)."""
        self.saved: dict[str, list[int]] = {}
        self.n_made = 0

    def do(self, move: Move) -> None:
        match move:
            case Clear(slot=slot):
                self.slots.pop(slot, None)
            case Cut(slot=slot, n=n):
                assert self.limits.can_cut
                assert n <= len(self.slots[slot])
                del self.slots[slot][n:]
            case Copy(source=source, target=target, n=n):
                assert not self.slots.get(target)
                assert n <= len(self.slots[source])
                assert self.limits.can_cut or n == len(self.slots[source])
                self.slots[target] = self.slots[source][:n]
            case Save(slot=slot, tokens=tokens):
                assert [token for _, token in self.slots[slot]] == tokens
                self.saved[str(tokens)] = tokens
            case Restore(slot=slot, key=key, n=n):
                assert not self.slots.get(slot)
                assert n == len(self.saved[key])
                self.compute(slot, 0, self.saved[key])

    def compute(self, slot: int, start: int, tokens: Tokens[int]) -> None:
        held = self.slots.setdefault(slot, [])
        assert start == len(held), "a slot's cells and its sequence disagree"
        for token in tokens:
            held.append((self.n_made, token))
            self.n_made += 1
        n_used = len({cell for each in self.slots.values() for cell, _ in each})
        assert n_used <= self.limits.n_cells

    def find(self, tokens: list[int]) -> tuple[str, list[int]] | None:
        """As a SnapshotIndex: the longest that begins like `tokens`."""
        found = [
            (n_common(held, tokens), key)
            for key, held in self.saved.items()
            if self.limits.can_cut or held == tokens[: len(held)]
        ]
        return (max(found)[1], self.saved[max(found)[1]]) if found else None


def commit_all(scheduler: Scheduler, plan: BatchPlan, token: int = 1) -> list[str]:
    """Gives every entry that samples the same token; the ids of those that finished."""
    sampled = {entry.sequence.id: token for entry in plan.entries if entry.chunk.samples}
    return [outcome.sequence.id for outcome in scheduler.commit(plan, sampled) if outcome.finish]


class SchedulerMachine(RuleBasedStateMachine):
    """Beside a memory that does what it is told, and checks it."""

    limits = LIMITS

    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory(self.limits)
        self.scheduler = Scheduler(self.limits, frozenset({END}), self.memory)
        self.live: dict[str, Sequence] = {}
        self.finished: set[str] = set()
        self.n_added = 0

    @rule(
        n_prompt=st.integers(1, LIMITS.n_cells - 1),
        max_tokens=st.integers(1, 60),
        rank=st.sampled_from([WINDOW, ENDPOINT, BACKGROUND]),
        kind=st.integers(0, 2),
        scored=st.sampled_from([False, False, False, True]),
    )
    def add(self, n_prompt: int, max_tokens: int, rank: int, kind: int, scored: bool) -> None:
        new = sequence(str(self.n_added), n_prompt, rank, max_tokens, kind)
        new.scored = scored
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
    @rule(budget=st.integers(0, 32), token=st.sampled_from([1, 2, 3, END]))
    def step(self, budget: int, token: int) -> None:
        plan = self.compute(budget)
        assert plan.n_prompt_tokens <= max(1, budget)
        self.take(commit_all(self.scheduler, plan, token))

    @precondition(lambda self: self.live)
    @rule()
    def no_room(self) -> None:
        plan = self.plan(8)
        self.scheduler.roll_back(plan)
        n_running = len(self.scheduler.running)
        assert self.scheduler.preempt() == (n_running > 1)

    @precondition(lambda self: self.scheduler.running)
    @rule(data=st.data())
    def a_restore_fails(self, data: st.DataObject) -> None:
        """As far as the scheduler can tell: what a slot should hold is not there."""
        plan = self.plan(8)
        self.scheduler.roll_back(plan)
        running = [each.prefix.slot for each in self.scheduler.running if each.prefix is not None]
        if running:
            self.scheduler.forget(data.draw(st.sampled_from(sorted(running))))

    def plan(self, budget: int) -> BatchPlan:
        plan = self.scheduler.plan(budget)
        for move in plan.moves:
            self.memory.do(move)
        return plan

    def compute(self, budget: int) -> BatchPlan:
        plan = self.plan(budget)
        assert plan.entries, "work is left, but the plan is empty"
        row, n_outputs = -1, 0
        for entry in plan.entries:
            chunk = entry.chunk
            self.memory.compute(chunk.slot, chunk.start, chunk.tokens)
            held = [token for _, token in self.memory.slots[chunk.slot]]
            assert held == entry.sequence.tokens[: len(held)]
            assert chunk.samples == (len(held) == len(entry.sequence.tokens))
            row += len(chunk.tokens)
            n_outputs += len(chunk.tokens) if chunk.scored else chunk.samples
            assert entry.row == row
        assert plan.n_tokens <= self.limits.n_batch
        assert n_outputs <= self.limits.n_outputs
        return plan

    def take(self, names: list[str]) -> None:
        for name in names:
            assert name not in self.finished, "a sequence finished twice"
            self.finished.add(name)
            del self.live[name]

    @invariant()
    def slots_are_unique(self) -> None:
        slots = [prefix.slot for prefix in self.scheduler.cache.prefixes]
        assert len(set(slots)) == len(slots) <= self.limits.n_slots
        running = [each.prefix for each in self.scheduler.running]
        assert len(set(map(id, running))) == len(running) <= self.limits.n_running
        in_use = [prefix for prefix in self.scheduler.cache.prefixes if prefix.in_use]
        assert set(map(id, in_use)) == set(map(id, running))

    @invariant()
    def nobody_is_lost(self) -> None:
        known = {each.id for each in (*self.scheduler.running, *self.scheduler.waiting)}
        assert known == set(self.live)

    @invariant()
    def cells_are_counted(self) -> None:
        cells = {cell for prefix in self.scheduler.cache.prefixes for cell in prefix.cells}
        assert self.scheduler.cache.n_free == self.limits.n_cells - len(cells)

    def teardown(self) -> None:
        for _ in range(20_000):
            if self.scheduler.idle:
                break
            self.take(commit_all(self.scheduler, self.compute(16)))
        assert self.scheduler.idle, "somebody starves"
        assert not self.live
        while self.scheduler.cache.evict():
            pass
        assert self.scheduler.cache.n_free == self.limits.n_cells
        assert not self.scheduler.cache.prefixes


class StatefulMachine(SchedulerMachine):
    """A model whose sequences cannot be cut."""

    limits = STATEFUL


SchedulerMachine.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
StatefulMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestScheduler = SchedulerMachine.TestCase
TestStatefulScheduler = StatefulMachine.TestCase


def scheduler() -> Scheduler:
    return Scheduler(LIMITS, frozenset({END}))


def test_several_sequences_decode_in_one_batch() -> None:
    several = scheduler()
    for kind, name in enumerate("abc"):
        several.add(sequence(name, 2, kind=kind))
    commit_all(several, several.plan(16))
    assert [entry.sequence.id for entry in several.plan(16).entries] == ["a", "b", "c"]


def test_a_decode_goes_before_prompts_and_is_outside_their_budget() -> None:
    both = scheduler()
    both.add(sequence("writing", 1, WINDOW))
    commit_all(both, both.plan(16))
    both.add(sequence("reading", 12, kind=1))
    plan = both.plan(4)
    assert [(entry.sequence.id, len(entry.chunk.tokens)) for entry in plan.entries] == [("writing", 1), ("reading", 4)]
    assert [entry.sequence.id for entry in both.plan(0).entries] == ["writing"]


def test_with_no_budget_a_lone_prompt_still_goes_on() -> None:
    lone = scheduler()
    lone.add(sequence("reading", 12))
    assert lone.plan(0).n_tokens == 1


def test_the_window_takes_the_place_of_the_endpoint_when_memory_is_full() -> None:
    full = scheduler()
    tool = sequence("tool", 40)
    full.add(tool)
    while tool.n_pending > 1:
        commit_all(full, full.plan(16))
    full.add(sequence("person", 30, WINDOW, kind=1))
    plan = full.plan(16)
    assert [entry.sequence.id for entry in plan.entries] == ["person"]
    assert tool in full.waiting
    assert any(isinstance(move, Clear) for move in plan.moves)


def test_a_prompt_without_room_for_an_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="48 tokens for 48 cells"):
        scheduler().add(sequence("long", 48))


def test_the_context_is_filled_to_its_last_cell() -> None:
    one = scheduler()
    only = sequence("only", 10, max_tokens=1000)
    one.add(only)
    while not one.idle:
        finished = commit_all(one, one.plan(16))
    assert finished == ["only"]
    assert only.n_output == LIMITS.n_cells - 10 + 1


def test_what_was_read_is_not_read_again() -> None:
    """A second turn: the first one's tokens, and five more."""
    chat = scheduler()
    first = sequence("first", 10, WINDOW, max_tokens=4)
    chat.add(first)
    while not chat.idle:
        commit_all(chat, chat.plan(16))
    second = Sequence("second", WINDOW, (*first.tokens, 50, 51, 52, 53, 54), 4)
    chat.add(second)
    plan = chat.plan(16)
    assert second.n_cached == 13, "all but the last sampled token, which was never computed"
    assert plan.n_tokens == 6


def test_an_edited_turn_leaves_the_other_branch_where_it_is() -> None:
    chat = scheduler()
    chat.add(sequence("first", 20, max_tokens=2))
    while not chat.idle:
        commit_all(chat, chat.plan(16))
    edited = Sequence("edited", ENDPOINT, (*range(15), 70, 71), 2)
    chat.add(edited)
    plan = chat.plan(16)
    assert edited.n_cached == 15
    assert [move for move in plan.moves if isinstance(move, Copy)]
    assert len(chat.cache.prefixes) == 2


def test_who_asks_the_same_at_the_same_time_waits_for_one_reading() -> None:
    forks = Scheduler(replace(LIMITS, n_cells=200, n_batch=64), frozenset({END}))
    for i in range(4):
        forks.add(sequence(str(i), 60, max_tokens=5))
    n_read = 0
    while not forks.idle:
        plan = forks.plan(16)
        n_read += plan.n_prompt_tokens
        commit_all(forks, plan)
    assert n_read == 60
    assert len(forks.cache.prefixes) <= 4


def test_the_endpoints_leftovers_go_before_the_windows() -> None:
    full = scheduler()
    for name, rank, kind in (("chat", WINDOW, 0), ("tool", ENDPOINT, 1)):
        full.add(sequence(name, 16, rank, max_tokens=1, kind=kind))
        while not full.idle:
            commit_all(full, full.plan(16))
    full.add(sequence("title", 30, BACKGROUND, max_tokens=1, kind=2))
    while not full.idle:
        commit_all(full, full.plan(16))
    assert full.cache.match(list(range(16)))[1] == 16, "a background job evicted the chat"


def test_who_was_preempted_comes_back_from_its_snapshot() -> None:
    memory = Memory(replace(LIMITS, n_cells=200, n_batch=200))
    full = Scheduler(memory.limits, frozenset({END}), memory)

    def step() -> BatchPlan:
        plan = full.plan(200)
        for move in plan.moves:
            memory.do(move)
        for entry in plan.entries:
            memory.compute(entry.chunk.slot, entry.chunk.start, entry.chunk.tokens)
        commit_all(full, plan)
        return plan

    tool = sequence("tool", 120, max_tokens=30)
    full.add(tool)
    step()
    full.add(sequence("person", 150, WINDOW, max_tokens=3, kind=1))
    plan = step()
    assert any(isinstance(move, Save) for move in plan.moves)
    while "person" in {each.id for each in full.running}:
        step()
    plan = step()
    assert any(isinstance(move, Restore) for move in plan.moves)
    assert plan.n_tokens == 1, "it was read again"
