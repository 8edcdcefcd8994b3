"""The scheduler's choices one by one: who goes first, who is refused, who gives way, and what is read again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.cache.moves import Clear, Copy, Restore, Save
from engine.schedule.plan import BatchPlan
from engine.schedule.ranks import BACKGROUND, ENDPOINT, WINDOW
from engine.schedule.scheduler import Scheduler
from engine.schedule.sequence import Sequence
from tests.engine.scheduling import END, LIMITS, Memory, commit_all, sequence


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


def test_prompts_that_are_scored_anew_stay_within_the_outputs_of_a_step() -> None:
    """They were put back after two tokens: as short as a word spelled anew, which they are not."""
    several = scheduler()
    for name in "abcd":
        scored = sequence(name, 2)
        scored.scored = True
        several.add(scored)
    for _ in range(2):
        commit_all(several, several.plan(16))
    for each in list(several.running):
        assert each.prefix is not None
        several.forget(each.prefix.slot)
    plan = several.plan(16)
    assert 0 < sum(len(entry.chunk.tokens) for entry in plan.entries) <= LIMITS.n_outputs
