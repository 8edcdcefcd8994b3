"""The scheduler as a Hypothesis state machine: its invariants must hold after any sequence of calls."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.adapter import AdapterScales
from engine.priority import Priority
from engine.scheduler.prompt_shares import MAX_LOWER_PRIORITY_TOKENS
from engine.scheduler.sequence import BatchEntry, BatchPlan, SequenceState
from tests.engine.scheduler.scheduler_harness import (
    END,
    LIMITS,
    CachedScheduler,
    KvMemoryModel,
    commit_all,
    sequence,
)

RECURRENT = replace(LIMITS, supports_truncation=False)


class SchedulerMachine(RuleBasedStateMachine):
    """Runs the scheduler together with a model of the KV memory that checks every operation."""

    limits = LIMITS

    def __init__(self) -> None:
        super().__init__()
        self.memory = KvMemoryModel(self.limits)
        self.scheduler = CachedScheduler(self.limits, self.memory)
        self.live: dict[str, SequenceState] = {}
        self.finished: set[str] = set()
        self.n_added = 0

    @rule(
        n_prompt=st.integers(1, LIMITS.n_cells - 1),
        max_tokens=st.integers(1, 60),
        priority=st.sampled_from([Priority.WINDOW, Priority.ENDPOINT, Priority.BACKGROUND]),
        kind=st.integers(0, 2),
        needs_all_logits=st.sampled_from([False, False, False, True]),
        is_deterministic=st.booleans(),
        uses_cache=st.sampled_from([True, True, False]),
        adapter_scales=st.sampled_from([(), (), (), (1.0,), (0.5,)]),
    )
    def add(
        self,
        n_prompt: int,
        max_tokens: int,
        priority: Priority,
        kind: int,
        needs_all_logits: bool,
        is_deterministic: bool,
        uses_cache: bool,
        adapter_scales: AdapterScales,
    ) -> None:
        new = sequence(str(self.n_added), n_prompt, priority, max_tokens, kind)
        new.needs_all_logits, new.is_deterministic, new.uses_cache = needs_all_logits, is_deterministic, uses_cache
        new.adapter_scales = adapter_scales
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
        n_left = self.scheduler.n_prompt_tokens_left
        plan = self.compute(budget)
        n_most = self.limits.prompt_cut if len(self.scheduler.running) == 1 else max(1, budget, n_left)
        assert plan.n_prompt_tokens <= n_most
        self.mark_finished(commit_all(self.scheduler, plan, token))

    @precondition(lambda self: self.live)
    @rule()
    def decode_fails_for_lack_of_memory(self) -> None:
        plan = self.plan(8)
        self.scheduler.roll_back(plan)
        n_running, n_idle = (
            len(self.scheduler.running),
            len(self.scheduler.cache.prefixes) - len(self.scheduler.running),
        )
        if n_running:
            freed = self.scheduler.free_kv_space()
            assert freed or (n_running == 1 and not n_idle)
        self.remove_rejected()

    @precondition(
        lambda self: self.limits.supports_full_rollback and any(each.n_output for each in self.scheduler.running)
    )
    @rule(data=st.data(), tokens=st.lists(st.integers(4, 6), min_size=1, max_size=6))
    def retokenize(self, data: st.DataObject, tokens: list[int]) -> None:
        writing = {each.id: each for each in self.scheduler.running if len(each.tokens) > len(each.prompt)}
        changed = writing[data.draw(st.sampled_from(sorted(writing)))]
        at = data.draw(st.integers(len(changed.prompt), len(changed.tokens) - 1))
        room = len(changed.tokens) - at
        self.scheduler.retokenize(changed, at, tokens[:room])

    @precondition(
        lambda self: self.limits.supports_full_rollback and any(each.n_output for each in self.scheduler.running)
    )
    @rule(data=st.data(), draft=st.lists(st.sampled_from([1, 1, 1, 2]), min_size=1, max_size=12))
    def draft(self, data: st.DataObject, draft: list[int]) -> None:
        writing = {each.id: each for each in self.scheduler.running if each.n_output}
        writing[data.draw(st.sampled_from(sorted(writing)))].draft = draft

    def remove_rejected(self) -> None:
        for rejected in self.scheduler.take_rejected():
            assert rejected.priority == Priority.BACKGROUND
            del self.live[rejected.id]

    @precondition(lambda self: self.scheduler.running)
    @rule(data=st.data())
    def restore_fails(self, data: st.DataObject) -> None:
        plan = self.plan(8)
        self.scheduler.roll_back(plan)
        running = [each.prefix.slot for each in self.scheduler.running if each.prefix is not None]
        if running:
            self.scheduler.invalidate_slot(data.draw(st.sampled_from(sorted(running))))

    def switch_adapters(self) -> None:
        scales = self.scheduler.switch_adapters()
        if scales is not None:
            for op in self.scheduler.cache.take_ops():
                self.memory.execute(op)
            self.memory.select(scales)

    def plan(self, budget: int) -> BatchPlan:
        self.switch_adapters()
        decoding = [each for each in self.scheduler.running if each.priority == Priority.WINDOW and each.n_pending == 1]
        chats = self.chats()
        only_background = all(each.priority == Priority.BACKGROUND for each in self.live.values())
        plan = self.scheduler.plan(budget)
        for op in plan.ops:
            self.memory.execute(op)
        self.remove_rejected()
        self.check_prefill_order(plan)
        steps = {entry.sequence for entry in plan.entries}
        assert len({each.adapter_scales for each in steps}) <= 1
        if any(each.priority > Priority.WINDOW for each in self.scheduler.running):
            assert set(decoding) <= steps, "a decode of the window waits for the endpoint"
        if only_background:
            kept = [prefix.tokens for prefix in self.scheduler.cache.prefixes]
            for chat in chats:
                assert any(tokens[: len(chat)] == chat for tokens in kept), "background work evicted a chat"
        return plan

    def check_prefill_order(self, plan: BatchPlan) -> None:
        shares = {entry.sequence: len(entry.chunk.tokens) for entry in plan.entries if not entry.is_decoding}
        readers = [each for each in self.scheduler.running if not each.is_decoding]
        for one in readers:
            if shares.get(one, 0) == one.n_to_prefill or one.needs_all_logits:
                continue
            of_lower = sum(n for other, n in shares.items() if other.priority > one.priority)
            assert of_lower <= MAX_LOWER_PRIORITY_TOKENS, "a lower priority is computed before a higher one"
            for other in [other for other in shares if other is not one and other.priority <= one.priority]:
                if shares[other] >= other.n_pending - 1:
                    continue  # a short prompt is completed beside others
                assert other.prefill_order < one.prefill_order

    def chats(self) -> list[list[int]]:
        """Returns the tokens of the idle prefixes that belong to chats in the app's window."""
        return [
            list(prefix.tokens)
            for prefix in self.scheduler.cache.prefixes
            if prefix.priority == Priority.WINDOW and not prefix.in_use
        ]

    def compute(self, budget: int) -> BatchPlan:
        n_live = len(self.live)
        plan = self.plan(budget)
        assert plan.entries or len(self.live) < n_live, "the plan is empty although sequences are left"
        row, n_outputs = -1, 0
        for entry in plan.entries:
            chunk = entry.chunk
            self.memory.compute(chunk.slot, chunk.start, chunk.tokens)
            held = [token for _, token in self.memory.slots[chunk.slot]]
            assert held == [*entry.sequence.tokens, *entry.draft][: len(held)]
            assert chunk.sample_last == (len(held) - chunk.n_drafted == len(entry.sequence.tokens))
            assert chunk.n_drafted == 0 or chunk.sample_last
            assert entry.sequence.n_output + chunk.n_drafted < entry.sequence.max_tokens or not chunk.n_drafted
            assert not self.combines_last_token(plan, entry), "the last token of a prompt is not a step of its own"
            assert entry.sequence.uses_cache or entry.sequence.n_cached == 0
            row += len(chunk.tokens)
            n_outputs += len(chunk.tokens) if chunk.needs_all_logits else chunk.sample_last + chunk.n_drafted
            assert entry.last_row == row
        assert plan.n_tokens <= self.limits.n_batch
        assert n_outputs <= self.limits.n_outputs
        return plan

    def combines_last_token(self, plan: BatchPlan, entry: BatchEntry) -> bool:
        """Whether the last token of a prompt, which was computed alone so far, is computed with earlier ones."""
        sequence, prefix = entry.sequence, entry.sequence.prefix
        is_exact = prefix is not None and plan.is_alone and prefix.exactness.n_exact == entry.chunk.start
        is_last = entry.chunk.sample_last and not entry.is_decoding and not sequence.n_output
        return is_exact and is_last and len(sequence.prompt) > 1 and not sequence.needs_all_logits

    def mark_finished(self, names: list[str]) -> None:
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
    def every_live_sequence_is_running_or_waiting(self) -> None:
        known = {each.id for each in (*self.scheduler.running, *self.scheduler.waiting)}
        assert known == set(self.live)

    @invariant()
    def free_cells_are_counted(self) -> None:
        cells = {cell for prefix in self.scheduler.cache.prefixes for cell in prefix.cells}
        assert self.scheduler.cache.n_free == self.limits.n_cells - len(cells)

    def teardown(self) -> None:
        for _ in range(20_000):
            if self.scheduler.idle:
                break
            self.mark_finished(commit_all(self.scheduler, self.compute(16)))
        assert self.scheduler.idle, "a sequence starves"
        assert not self.live
        while self.scheduler.cache.evict():
            pass
        assert self.scheduler.cache.n_free == self.limits.n_cells
        assert not self.scheduler.cache.prefixes


class RecurrentSchedulerMachine(SchedulerMachine):
    """The state machine for models without truncation, such as recurrent ones."""

    limits = RECURRENT


SchedulerMachine.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
RecurrentSchedulerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestScheduler = SchedulerMachine.TestCase
TestRecurrentScheduler = RecurrentSchedulerMachine.TestCase
