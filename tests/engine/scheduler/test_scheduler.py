"""The scheduler's choices one by one: who goes first, who is refused, who gives way, and what is read again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.kv_memory import Clear, Copy, Restore, Save
from engine.priority import BACKGROUND, ENDPOINT, WINDOW
from engine.scheduler.batch_plan import BatchPlan
from engine.scheduler.scheduler import Scheduler
from engine.scheduler.sequence import Sequence
from tests.engine.scheduler.scheduler_harness import END, LIMITS, Memory, commit_all, sequence


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
    for name, priority, kind in (("chat", WINDOW, 0), ("tool", ENDPOINT, 1)):
        full.add(sequence(name, 16, priority, max_tokens=1, kind=kind))
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
        refused += scheduler.take_rejected()
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
    assert sorted(each.id for each in finish(full)) == ["story", "summary"]
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
        needs_all_logits = sequence(name, 2)
        needs_all_logits.needs_all_logits = True
        several.add(needs_all_logits)
    for _ in range(2):
        commit_all(several, several.plan(16))
    for each in list(several.running):
        assert each.prefix is not None
        several.forget(each.prefix.slot)
    plan = several.plan(16)
    assert 0 < sum(len(entry.chunk.tokens) for entry in plan.entries) <= LIMITS.n_outputs


BIG = replace(LIMITS, n_cells=4096)


def prompt_shares(plan: BatchPlan) -> dict[str, int]:
    return {entry.sequence.id: len(entry.chunk.tokens) for entry in plan.entries if not entry.writes}


def test_short_prompt_is_read_before_the_rest_of_a_long_one() -> None:
    both = Scheduler(BIG, frozenset({END}))
    both.add(sequence("long", 1000, WINDOW))
    commit_all(both, both.plan(16))
    both.add(sequence("short", 10, WINDOW, kind=1))
    plan = both.plan(16)
    assert prompt_shares(plan) == {"short": 10, "long": 6}
    assert "short" in {entry.sequence.id for entry in plan.entries if entry.chunk.samples}


def test_endpoint_prompt_waits_for_the_window_however_short_it_is() -> None:
    both = Scheduler(BIG, frozenset({END}))
    both.add(sequence("tool", 5, ENDPOINT))
    both.add(sequence("person", 1000, WINDOW, kind=1))
    assert prompt_shares(both.plan(16)) == {"person": 16}


def test_cached_tokens_do_not_count_in_the_deadline() -> None:
    both = Scheduler(BIG, frozenset({END}))
    first = sequence("first", 500, WINDOW, max_tokens=1)
    both.add(first)
    while not both.idle:
        commit_all(both, both.plan(16))
    both.add(sequence("other", 100, WINDOW, kind=1))
    commit_all(both, both.plan(16))
    both.add(Sequence("second turn", WINDOW, (*first.tokens, 50, 51, 52), 4))
    assert next(iter(prompt_shares(both.plan(16)))) == "second turn"


def test_long_prompt_is_overtaken_for_at_most_its_own_length() -> None:
    crowd = Scheduler(BIG, frozenset({END}))
    long = sequence("long", 400, WINDOW)
    crowd.add(long)
    n_overtaking = n_steps = 0
    while long.n_output == 0:
        crowd.add(sequence(f"short {n_steps}", 16, WINDOW, max_tokens=1, kind=1 + n_steps))
        plan = crowd.plan(16)
        n_overtaking += sum(n for name, n in prompt_shares(plan).items() if name != "long")
        commit_all(crowd, plan)
        n_steps += 1
    assert 300 < n_overtaking <= 400 + 16


def test_prompts_of_one_length_are_read_first_come_first_served() -> None:
    three = scheduler()
    for name, kind in (("a", 2), ("b", 0), ("c", 1)):
        three.add(sequence(name, 10, kind=kind))
    assert list(prompt_shares(three.plan(16))) == ["a", "b"]


def test_short_question_takes_the_room_of_a_long_prompt_without_an_answer() -> None:
    full = scheduler()
    long = sequence("long", 44, WINDOW)
    full.add(long)
    commit_all(full, full.plan(16))
    full.add(sequence("short", 8, WINDOW, max_tokens=2, kind=1))
    assert prompt_shares(full.plan(16)) == {"short": 8}
    assert long.waits_for == "slot"
    finish(full)
    assert long.n_output > 0


def test_an_answer_that_has_begun_keeps_its_room() -> None:
    full = scheduler()
    answering = sequence("answering", 40, WINDOW)
    full.add(answering)
    while answering.n_output == 0:
        commit_all(full, full.plan(16))
    full.add(sequence("short", 8, WINDOW, kind=1))
    assert [entry.sequence.id for entry in full.plan(16).entries] == ["answering"]


def test_reader_of_a_shared_prompt_gets_the_urgency_of_who_waits_for_it() -> None:
    three = Scheduler(BIG, frozenset({END}))
    shared = sequence("shared", 200, WINDOW)
    three.add(shared)
    commit_all(three, three.plan(16))
    three.add(sequence("other", 100, WINDOW, kind=1))
    commit_all(three, three.plan(16))
    waits = sequence("waits", 60, WINDOW)
    three.add(waits)
    three.plan(16)
    assert waits.waits_for == "shared_prompt"
    assert shared.prefill_order == waits.order < shared.order


def test_waiting_prompts_say_what_they_wait_for() -> None:
    limits = replace(BIG, n_running=2)
    crowd = Scheduler(limits, frozenset({END}))
    reading, behind, third = (sequence(name, 100, WINDOW, kind=kind) for kind, name in enumerate("abc"))
    for each in (reading, behind, third):
        crowd.add(each)
    crowd.plan(16)
    assert (reading.waits_for, behind.waits_for, third.waits_for) == (None, "other_prompts", "slot")


def repeatable(name: str, n_prompt: int, *, uses_cache: bool = True) -> Sequence:
    return Sequence(name, ENDPOINT, (0, *range(1, n_prompt)), 6, is_deterministic=True, uses_cache=uses_cache)


def steps_of(run: Scheduler, memory: Memory, one: Sequence) -> list[tuple[int, tuple[int, ...]]]:
    """How its prompt was cut, and at which places of the memory it lies."""
    run.add(one)
    cuts = []
    while not run.idle:
        plan = run.plan(16)
        for move in plan.moves:
            memory.do(move)
        for entry in plan.entries:
            memory.compute(entry.chunk.slot, entry.chunk.start, entry.chunk.tokens)
            cuts.append((entry.chunk.start, tuple(entry.chunk.tokens)))
        commit_all(run, plan)
    return cuts


def test_repeatable_prompt_ends_with_a_step_of_one_token_whether_cached_or_not() -> None:
    memory = Memory(LIMITS)
    run = Scheduler(LIMITS, frozenset({END}), memory)
    first = steps_of(run, memory, repeatable("first", 20))
    cached = steps_of(run, memory, repeatable("cached", 20))
    uncached = repeatable("uncached", 20, uses_cache=False)
    assert first[:3] == [(0, tuple(range(16))), (16, (16, 17, 18)), (19, (19,))]
    assert cached[0] == (19, (19,))
    assert cached == first[2:]
    assert steps_of(run, memory, uncached) == first
    assert uncached.n_cached == 0


def test_repeated_prompt_gives_up_the_answer_that_it_will_write_again() -> None:
    """In other cells sums round differently, so that the answer could be another."""
    run = Scheduler(LIMITS, frozenset({END}))
    first = repeatable("first", 20)
    run.add(first)
    finish(run)
    cells = list(run.cache.prefixes[0].cells)
    for again in (repeatable("again", 20), repeatable("uncached", 20, uses_cache=False)):
        run.add(again)
        finish(run)
        assert [sorted(prefix.cells) for prefix in run.cache.prefixes] == [sorted(cells)]
