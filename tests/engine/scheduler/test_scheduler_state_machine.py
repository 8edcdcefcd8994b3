"""The scheduler as a state machine: whatever is added, cancelled, refused room, its rules hold."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.priority import BACKGROUND, ENDPOINT, WINDOW
from engine.scheduler.batch_plan import BatchPlan
from engine.scheduler.scheduler import Scheduler
from engine.scheduler.sequence import Sequence
from tests.engine.scheduler.scheduler_harness import END, LIMITS, Memory, commit_all, sequence

STATEFUL = replace(LIMITS, supports_truncation=False)


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
        priority=st.sampled_from([WINDOW, ENDPOINT, BACKGROUND]),
        kind=st.integers(0, 2),
        needs_all_logits=st.sampled_from([False, False, False, True]),
        is_deterministic=st.booleans(),
        uses_cache=st.sampled_from([True, True, False]),
    )
    def add(
        self,
        n_prompt: int,
        max_tokens: int,
        priority: int,
        kind: int,
        needs_all_logits: bool,
        is_deterministic: bool,
        uses_cache: bool,
    ) -> None:
        new = sequence(str(self.n_added), n_prompt, priority, max_tokens, kind)
        new.needs_all_logits, new.is_deterministic, new.uses_cache = needs_all_logits, is_deterministic, uses_cache
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
            made = self.scheduler.free_kv_space()
            assert made or (n_running == 1 and not n_idle)
        self.forget_refused()

    @precondition(
        lambda self: self.limits.supports_full_rollback and any(each.n_output for each in self.scheduler.running)
    )
    @rule(data=st.data(), tokens=st.lists(st.integers(4, 6), min_size=1, max_size=6))
    def spell_anew(self, data: st.DataObject, tokens: list[int]) -> None:
        writing = {each.id: each for each in self.scheduler.running if len(each.tokens) > len(each.prompt)}
        changed = writing[data.draw(st.sampled_from(sorted(writing)))]
        at = data.draw(st.integers(len(changed.prompt), len(changed.tokens) - 1))
        room = len(changed.tokens) - at
        self.scheduler.retokenize(changed, at, tokens[:room])

    def forget_refused(self) -> None:
        for refused in self.scheduler.take_rejected():
            assert refused.priority == BACKGROUND
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
        writing = [each for each in self.scheduler.running if each.priority == WINDOW and each.n_pending == 1]
        chats = self.chats()
        only_background = all(each.priority == BACKGROUND for each in self.live.values())
        plan = self.scheduler.plan(budget)
        for move in plan.moves:
            self.memory.do(move)
        self.forget_refused()
        self.check_reading_order(plan)
        steps = {entry.sequence for entry in plan.entries}
        if any(each.priority > WINDOW for each in self.scheduler.running):
            assert set(writing) <= steps, "the window waits for the endpoint"
        if only_background:
            kept = [prefix.tokens for prefix in self.scheduler.cache.prefixes]
            for chat in chats:
                assert any(tokens[: len(chat)] == chat for tokens in kept), "background work evicted a chat"
        return plan

    def check_reading_order(self, plan: BatchPlan) -> None:
        shares = {entry.sequence: len(entry.chunk.tokens) for entry in plan.entries if not entry.writes}
        readers = [each for each in self.scheduler.running if not each.writes]
        for one in readers:
            if shares.get(one, 0) == one.n_to_prefill or one.needs_all_logits:
                continue
            for other in shares:
                assert other.priority <= one.priority, "a lower priority is read before a higher one"
                assert other is one or other.prefill_order < one.prefill_order

    def chats(self) -> list[list[int]]:
        """What the window has left in memory."""
        return [
            list(prefix.tokens)
            for prefix in self.scheduler.cache.prefixes
            if prefix.priority == WINDOW and not prefix.in_use
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
            if entry.sequence.is_deterministic and chunk.samples and not entry.writes and not entry.sequence.n_output:
                assert len(entry.sequence.prompt) == 1, "the last token of a prompt is not a step of its own"
            assert entry.sequence.uses_cache or entry.sequence.n_cached == 0
            row += len(chunk.tokens)
            n_outputs += len(chunk.tokens) if chunk.needs_all_logits else chunk.samples
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
