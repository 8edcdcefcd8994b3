"""Which prefixes leave KV memory, and in which cells sequences run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.backend import Limits
from engine.kv_memory import MAX_SAVE_S, SAVE_BYTES_PER_S, Clear, Copy, KvOp, Relocate, Reset, Restore, Save
from engine.priority import Priority
from engine.scheduler.placement import MAX_WASTED_CELLS
from engine.scheduler.sequence import BatchPlan, SequenceState
from tests.engine.scheduler.scheduler_harness import LIMITS, CachedScheduler, KvMemoryModel, commit_all, sequence

BIG = replace(LIMITS, n_cells=4096, n_batch=128, prompt_cut=128)


class Run:
    """A scheduler with host memory and a model of the KV memory."""

    def __init__(self, limits: Limits = BIG) -> None:
        self.memory = KvMemoryModel(limits)
        self.scheduler = CachedScheduler(self.memory.limits, self.memory)

    def step(self, n_prompt_tokens: int = 128) -> BatchPlan:
        plan = self.scheduler.plan(n_prompt_tokens)
        for op in plan.ops:
            self.memory.execute(op)
        for entry in plan.entries:
            self.memory.compute(entry.chunk.slot, entry.chunk.start, entry.chunk.tokens)
        commit_all(self.scheduler, plan)
        return plan

    def finish(self, *sequences: SequenceState) -> list[KvOp]:
        """Runs sequences until none is left. Returns all operations."""
        for each in sequences:
            self.scheduler.add(each)
        ops: list[KvOp] = []
        while not self.scheduler.idle:
            ops += self.step().ops
        return ops

    def cells(self, one: SequenceState) -> list[int]:
        assert one.prefix is not None
        return one.prefix.cells


def kinds(ops: list[KvOp] | tuple[KvOp, ...]) -> list[type]:
    return [type(op) for op in ops]


def test_lone_sequence_lies_in_the_first_cells_and_idle_prefixes_move_to_host_memory() -> None:
    run = Run()
    run.finish(sequence("first", 100))
    run.scheduler.add(other := sequence("other", 50, kind=1))
    assert kinds(run.step().ops) == [Save, Clear, Reset]
    assert run.cells(other) == list(range(49))
    assert run.scheduler.cache.span == 49


def test_next_turn_of_the_same_chat_copies_nothing() -> None:
    run = Run()
    run.finish(first := sequence("first", 100))
    assert kinds(run.finish(SequenceState("next", Priority.WINDOW, (*first.tokens, 50, 51), 4))) == []


def test_chat_that_left_kv_memory_is_restored_to_the_first_cells() -> None:
    run = Run()
    run.finish(first := sequence("first", 100))
    run.finish(sequence("other", 50, kind=1))
    run.scheduler.add(again := SequenceState("again", Priority.WINDOW, (*first.tokens, 50, 51), 4))
    plan = run.step()
    assert kinds(plan.ops) == [Save, Clear, Reset, Restore]
    assert again.n_cached == len(first.tokens) - 1
    assert run.cells(again) == list(range(len(again.prompt)))


def test_edited_chat_moves_the_original_to_host_memory_and_stays_in_its_cells() -> None:
    run = Run()
    run.finish(sequence("first", 100))
    run.scheduler.add(edited := SequenceState("edited", Priority.WINDOW, (*range(60), 70, 71), 4))
    assert kinds(run.step().ops) == [Copy, Save, Clear]
    assert run.cells(edited) == list(range(62))
    assert run.memory.find(list(range(100))) is not None


def test_idle_prefix_of_a_waiting_sequence_stays() -> None:
    run = Run()
    run.finish(first := sequence("first", 100))
    run.scheduler.add(sequence("other", 50, kind=1))
    run.scheduler.add(SequenceState("next", Priority.ENDPOINT, (*first.tokens, 50, 51), 4))
    assert kinds(run.step().ops) == []


def test_prefix_of_a_sequence_that_ends_leaves_while_another_runs() -> None:
    run = Run()
    short, long = sequence("short", 20, max_tokens=2), sequence("long", 60, max_tokens=40, kind=1)
    run.scheduler.add(short)
    run.scheduler.add(long)
    while short in run.scheduler.running or not short.n_output:
        run.step()
    assert kinds(run.step().ops) == [Save, Clear]
    assert [prefix.slot for prefix in run.scheduler.cache.prefixes] == [long.prefix.slot if long.prefix else None]


def test_large_copies_are_postponed_while_an_answer_of_the_window_is_generated() -> None:
    run = Run(replace(BIG, cell_bytes=int(MAX_SAVE_S * SAVE_BYTES_PER_S / 50)))  # 50 tokens may be copied
    ends, answer = sequence("ends", 90, max_tokens=1), sequence("answer", 20, Priority.WINDOW, max_tokens=9, kind=1)
    run.scheduler.add(answer)
    run.step()
    run.scheduler.add(ends)
    while ends in (*run.scheduler.waiting, *run.scheduler.running):
        run.step()
    while answer in run.scheduler.running:
        assert run.step().ops == ()
    run.scheduler.add(sequence("other", 20, kind=2))
    assert Save in kinds(run.step().ops)


def test_sequence_that_has_become_the_only_one_moves_to_the_first_cells() -> None:
    run = Run()
    first, last = sequence("first", 800, max_tokens=1), sequence("last", 40, max_tokens=60, kind=1)
    run.scheduler.add(first)
    while first.n_computed < MAX_WASTED_CELLS + 64:
        run.step()
    run.scheduler.add(last)
    while first in run.scheduler.running:
        run.step()
    assert run.scheduler.cache.span > MAX_WASTED_CELLS
    assert kinds(run.step().ops) == [Save, Clear, Relocate]
    assert run.cells(last) == list(range(last.n_computed))


def test_background_work_leaves_chats_in_kv_memory() -> None:
    run = Run()
    run.finish(sequence("chat", 100, Priority.WINDOW))
    assert kinds(run.finish(sequence("title", 50, Priority.BACKGROUND, kind=1))) == []


@pytest.mark.parametrize("uses_cache", [True, False])
def test_prefix_too_large_for_host_memory_does_not_move_a_deterministic_request(uses_cache: bool) -> None:
    run = Run()
    run.memory.max_saved_tokens = 50
    run.finish(sequence("too large", 100))
    other = sequence("other", 50, kind=1)
    other.is_deterministic, other.uses_cache = True, uses_cache
    run.scheduler.add(other)
    assert kinds(run.step().ops) == [Clear, Reset]
    assert run.cells(other) == list(range(49))


def test_prefix_too_large_for_host_memory_stays_for_other_requests() -> None:
    run = Run()
    run.memory.max_saved_tokens = 50
    run.finish(sequence("too large", 100))
    run.scheduler.add(sequence("other", 50, kind=1))
    assert kinds(run.step().ops) == []
