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
from engine.schedule.ranks import BACKGROUND, ENDPOINT, WINDOW
from engine.schedule.scheduler import Scheduler
from engine.schedule.sequence import Sequence

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
        n_running, n_idle = (
            len(self.scheduler.running),
            len(self.scheduler.cache.prefixes) - len(self.scheduler.running),
        )
        if n_running:
            made = self.scheduler.make_way()
            assert made or (n_running == 1 and not n_idle)
        self.forget_refused()

    @precondition(lambda self: self.limits.cuts_freely and any(each.n_output for each in self.scheduler.running))
    @rule(data=st.data(), tokens=st.lists(st.integers(4, 6), min_size=1, max_size=6))
    def spell_anew(self, data: st.DataObject, tokens: list[int]) -> None:
        writing = {each.id: each for each in self.scheduler.running if len(each.tokens) > len(each.prompt)}
        changed = writing[data.draw(st.sampled_from(sorted(writing)))]
        at = data.draw(st.integers(len(changed.prompt), len(changed.tokens) - 1))
        room = len(changed.tokens) - at
        self.scheduler.respell(changed, at, tokens[:room])

    def forget_refused(self) -> None:
        for refused in self.scheduler.take_refused():
            assert refused.rank == BACKGROUND
            del self.live[refused.id]

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
        writing = [each for each in self.scheduler.running if each.rank == WINDOW and each.n_pending == 1]
        chats = self.chats()
        only_background = all(each.rank == BACKGROUND for each in self.live.values())
        plan = self.scheduler.plan(budget)
        for move in plan.moves:
            self.memory.do(move)
        self.forget_refused()
        steps = {entry.sequence for entry in plan.entries}
        if any(each.rank > WINDOW for each in self.scheduler.running):
            assert set(writing) <= steps, "the window waits for the endpoint"
        if only_background:
            kept = [prefix.tokens for prefix in self.scheduler.cache.prefixes]
            for chat in chats:
                assert any(tokens[: len(chat)] == chat for tokens in kept), "background work evicted a chat"
        return plan

    def chats(self) -> list[list[int]]:
        """What the window has left in memory."""
        return [
            list(prefix.tokens)
            for prefix in self.scheduler.cache.prefixes
            if prefix.rank == WINDOW and not prefix.in_use
        ]

    def compute(self, budget: int) -> BatchPlan:
        n_live = len(self.live)
        plan = self.plan(budget)
        assert plan.entries or len(self.live) < n_live, "work is left, but the plan is empty"
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


def finish(scheduler: Scheduler) -> list[Sequence]:
    """Runs all to their ends; who was refused."""
    refused: list[Sequence] = []
    while not scheduler.idle:
        commit_all(scheduler, scheduler.plan(16))
        refused += scheduler.take_refused()
    return refused


def test_background_work_waits_for_others_and_is_refused_where_only_chats_are_left() -> None:
    full = scheduler()
    full.add(sequence("chat", 30, WINDOW, max_tokens=1))
    assert not finish(full)
    tool = sequence("tool", 12, max_tokens=5, kind=1)
    full.add(tool)
    commit_all(full, full.plan(16))
    fits = sequence("title", 15, BACKGROUND, max_tokens=2, kind=2)
    full.add(fits)
    full.plan(16)
    assert full.waiting == (fits,), "there is somebody to wait for"
    assert not finish(full), "what the tool left could have gone"
    assert fits.n_output == 2
    too_long = sequence("summary", 19, BACKGROUND, max_tokens=2, kind=3)
    grows = sequence("story", 15, BACKGROUND, max_tokens=40, kind=4)
    for each in (too_long, grows):
        full.add(each)
    assert finish(full) == [too_long, grows]
    assert grows.n_output > 0
    assert full.cache.match(list(range(30)))[1] == 30, "the chat is gone"


def test_background_work_that_goes_on_from_a_chat_leaves_what_it_added_to_be_thrown_away() -> None:
    full = scheduler()
    chat = sequence("chat", 20, WINDOW, max_tokens=1)
    full.add(chat)
    finish(full)
    title = Sequence("title", BACKGROUND, (*chat.tokens, *range(50, 70)), 2)
    full.add(title)
    assert not finish(full)
    assert title.n_cached == 20
    full.add(sequence("other", 25, BACKGROUND, max_tokens=2, kind=1))
    assert not finish(full), "the first one's leftovers count as the chat's"
    assert full.cache.match(list(range(20)))[1] == 20, "the chat is gone"


def test_many_chats_leave_a_slot_for_background_work() -> None:
    full = scheduler()
    for kind in range(10):
        full.add(sequence(str(kind), 3, WINDOW, max_tokens=1, kind=kind))
        finish(full)
    full.add(sequence("title", 3, BACKGROUND, max_tokens=2, kind=11))
    assert not finish(full)


def test_who_does_not_fit_yet_costs_nobody_a_place() -> None:
    full = scheduler()
    full.add(sequence("chat", 10, WINDOW, max_tokens=1))
    finish(full)
    full.add(sequence("tool", 20, max_tokens=9, kind=1))
    commit_all(full, full.plan(16))
    full.add(sequence("long", 35, max_tokens=1, kind=2))
    commit_all(full, full.plan(16))
    assert full.cache.match(list(range(10)))[1] == 10, "evicted for one who waits all the same"
    finish(full)


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
