"""Single decisions of the scheduler: order, preemption, rejection, eviction and reuse of cached prefixes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine.backend import Limits
from engine.kv_memory import Clear, Copy, Restore, Save
from engine.priority import Priority
from engine.scheduler.prompt_shares import MAX_LOWER_PRIORITY_TOKENS
from engine.scheduler.sequence import BatchPlan, SequenceState
from tests.engine.scheduler.scheduler_harness import LIMITS, CachedScheduler, KvMemoryModel, commit_all, sequence


def test_several_sequences_decode_in_one_batch() -> None:
    several = CachedScheduler()
    for kind, name in enumerate("abc"):
        several.add(sequence(name, 2, kind=kind))
    commit_all(several, several.plan(16))
    assert [entry.sequence.id for entry in several.plan(16).entries] == ["a", "b", "c"]


def test_decoding_sequence_precedes_prompts_and_does_not_use_the_prompt_budget() -> None:
    both = CachedScheduler()
    both.add(sequence("writing", 1, Priority.WINDOW))
    commit_all(both, both.plan(16))
    both.add(sequence("reading", 12, kind=1))
    plan = both.plan(4)
    assert [(entry.sequence.id, len(entry.chunk.tokens)) for entry in plan.entries] == [("writing", 1), ("reading", 4)]
    assert [entry.sequence.id for entry in both.plan(0).entries] == ["writing"]


def test_prompt_gets_one_token_per_step_if_the_budget_is_zero() -> None:
    both = CachedScheduler()
    for kind in range(2):
        both.add(sequence(f"reading {kind}", 12, kind=kind))
    assert both.plan(0).n_tokens == 1


def test_prompt_that_runs_alone_is_cut_at_multiples_of_the_prompt_cut_and_before_its_last_token() -> None:
    for n_prompt, expected in ((36, [16, 16, 3, 1]), (33, [16, 16, 1]), (10, [9, 1]), (1, [1])):
        lone = CachedScheduler()
        lone.add(one := sequence("one", n_prompt))
        cuts = []
        while not one.n_output:
            plan = lone.plan(0)
            cuts.append(plan.n_tokens)
            commit_all(lone, plan)
        assert cuts == expected


def cuts_alone(limits: Limits, n_prompt: int) -> list[int]:
    lone = CachedScheduler(limits)
    lone.add(one := sequence("one", n_prompt))
    cuts = []
    while not one.n_output:
        plan = lone.plan(0)
        cuts.append(plan.n_tokens)
        commit_all(lone, plan)
    assert one.prefix is not None
    assert one.prefix.exactness.n_exact == (n_prompt - 1) // 16 * 16
    return cuts


def test_prompt_that_runs_alone_is_computed_in_batches_of_several_prompt_cuts() -> None:
    limits = replace(BIG, prompt_cut=16, n_batch=40)
    assert cuts_alone(limits, 100) == [32, 32, 32, 3, 1]
    assert cuts_alone(limits, 60) == [32, 16, 11, 1]
    assert cuts_alone(limits, 33) == [32, 1]
    assert cuts_alone(limits, 20) == [16, 3, 1]


def test_prompt_is_computed_in_single_prompt_cuts_if_a_decode_cannot_be_interrupted() -> None:
    limits = replace(BIG, prompt_cut=16, n_batch=40, sliding_window=64)
    assert cuts_alone(limits, 60) == [16, 16, 16, 11, 1]


def test_window_request_preempts_endpoint_request_when_memory_is_full() -> None:
    full = CachedScheduler()
    tool = sequence("tool", 40)
    full.add(tool)
    while tool.n_pending > 1:
        commit_all(full, full.plan(16))
    full.add(sequence("person", 30, Priority.WINDOW, kind=1))
    plan = full.plan(16)
    assert [entry.sequence.id for entry in plan.entries] == ["person"]
    assert tool in full.waiting
    assert any(isinstance(op, Clear) for op in plan.ops)


def test_add_raises_if_the_prompt_leaves_no_free_cell_for_an_answer() -> None:
    with pytest.raises(ValueError, match="48 tokens for 48 cells"):
        CachedScheduler().add(sequence("long", 48))


def test_answer_can_fill_the_context_to_its_last_cell() -> None:
    one = CachedScheduler()
    only = sequence("only", 10, max_tokens=1000)
    one.add(only)
    while not one.idle:
        finished = commit_all(one, one.plan(16))
    assert finished == ["only"]
    assert only.n_output == LIMITS.n_cells - 10 + 1


def test_second_turn_of_a_chat_computes_only_tokens_that_are_not_cached() -> None:
    chat = CachedScheduler()
    first = sequence("first", 10, Priority.WINDOW, max_tokens=4)
    chat.add(first)
    while not chat.idle:
        commit_all(chat, chat.plan(16))
    second = SequenceState("second", Priority.WINDOW, (*first.tokens, 50, 51, 52, 53, 54), 4)
    chat.add(second)
    plan = chat.plan(16)
    assert second.n_cached == 13, "all but the last sampled token, which is never computed"
    assert plan.n_tokens == 6


def test_edited_turn_leaves_the_original_turn_cached() -> None:
    chat = CachedScheduler()
    chat.add(sequence("first", 20, max_tokens=2))
    while not chat.idle:
        commit_all(chat, chat.plan(16))
    edited = SequenceState("edited", Priority.ENDPOINT, (*range(15), 70, 71), 2)
    chat.add(edited)
    plan = chat.plan(16)
    assert edited.n_cached == 15
    assert [op for op in plan.ops if isinstance(op, Copy)]
    assert len(chat.cache.prefixes) == 2


def test_equal_prompts_that_are_submitted_together_are_computed_once() -> None:
    forks = CachedScheduler(replace(LIMITS, n_cells=200, n_batch=64))
    for i in range(4):
        forks.add(sequence(str(i), 60, max_tokens=5))
    n_read = 0
    while not forks.idle:
        plan = forks.plan(16)
        n_read += plan.n_prompt_tokens
        commit_all(forks, plan)
    assert n_read == 59, "the last token is computed by a decode step"
    assert len(forks.cache.prefixes) <= 4


def test_background_work_evicts_endpoint_prefix_before_chat_prefix() -> None:
    full = CachedScheduler()
    for name, priority, kind in (("chat", Priority.WINDOW, 0), ("tool", Priority.ENDPOINT, 1)):
        full.add(sequence(name, 16, priority, max_tokens=1, kind=kind))
        while not full.idle:
            commit_all(full, full.plan(16))
    full.add(sequence("title", 30, Priority.BACKGROUND, max_tokens=1, kind=2))
    while not full.idle:
        commit_all(full, full.plan(16))
    assert full.cache.match(list(range(16)))[1] == 16, "background work evicted a chat"


def test_background_work_waits_for_others_and_is_rejected_if_only_chat_prefixes_are_left() -> None:
    full = CachedScheduler()
    full.add(sequence("chat", 30, Priority.WINDOW, max_tokens=1))
    assert not full.finish_all()
    tool = sequence("tool", 12, max_tokens=5, kind=1)
    full.add(tool)
    commit_all(full, full.plan(16))
    fits = sequence("title", 15, Priority.BACKGROUND, max_tokens=2, kind=2)
    full.add(fits)
    full.plan(16)
    assert full.waiting == (fits,), "another sequence is running"
    assert not full.finish_all(), "the endpoint's prefix is evictable"
    assert fits.n_output == 2
    too_long = sequence("summary", 19, Priority.BACKGROUND, max_tokens=2, kind=3)
    grows = sequence("story", 15, Priority.BACKGROUND, max_tokens=40, kind=4)
    for each in (too_long, grows):
        full.add(each)
    assert sorted(each.id for each in full.finish_all()) == ["story", "summary"]
    assert grows.n_output > 0
    assert full.cache.match(list(range(30)))[1] == 30, "background work evicted the chat"


def test_background_work_can_evict_tokens_that_background_work_added_to_a_chat() -> None:
    full = CachedScheduler()
    chat = sequence("chat", 20, Priority.WINDOW, max_tokens=1)
    full.add(chat)
    full.finish_all()
    title = SequenceState("title", Priority.BACKGROUND, (*chat.tokens, *range(50, 70)), 2)
    full.add(title)
    assert not full.finish_all()
    assert title.n_cached == 20
    full.add(sequence("other", 25, Priority.BACKGROUND, max_tokens=2, kind=1))
    assert not full.finish_all(), "tokens added by background work are protected like the chat"
    assert full.cache.match(list(range(20)))[1] == 20, "background work evicted the chat"


def test_cached_chats_leave_one_slot_for_background_work() -> None:
    full = CachedScheduler()
    for kind in range(10):
        full.add(sequence(str(kind), 3, Priority.WINDOW, max_tokens=1, kind=kind))
        full.finish_all()
    full.add(sequence("title", 3, Priority.BACKGROUND, max_tokens=2, kind=11))
    assert not full.finish_all()


def test_sequence_that_waits_for_kv_memory_evicts_no_cached_prefix() -> None:
    full = CachedScheduler()
    full.add(sequence("chat", 10, Priority.WINDOW, max_tokens=1))
    full.finish_all()
    full.add(sequence("tool", 20, max_tokens=9, kind=1))
    commit_all(full, full.plan(16))
    full.add(sequence("long", 35, max_tokens=1, kind=2))
    commit_all(full, full.plan(16))
    assert full.cache.match(list(range(10)))[1] == 10, "evicted for a sequence that has to wait in any case"
    full.finish_all()


def test_preempted_sequence_is_restored_from_its_snapshot() -> None:
    memory = KvMemoryModel(replace(LIMITS, n_cells=200, n_batch=200))
    full = CachedScheduler(memory.limits, memory)

    def step() -> BatchPlan:
        plan = full.plan(200)
        for op in plan.ops:
            memory.execute(op)
        for entry in plan.entries:
            memory.compute(entry.chunk.slot, entry.chunk.start, entry.chunk.tokens)
        commit_all(full, plan)
        return plan

    tool = sequence("tool", 120, max_tokens=30)
    full.add(tool)
    while not tool.n_output:
        step()
    full.add(sequence("person", 150, Priority.WINDOW, max_tokens=3, kind=1))
    plan = step()
    assert any(isinstance(op, Save) for op in plan.ops)
    while "person" in {each.id for each in full.running}:
        step()
    plan = step()
    assert any(isinstance(op, Restore) for op in plan.ops)
    assert plan.n_tokens == 1, "the prompt was computed again"


def test_restarted_prompts_that_need_all_logits_do_not_exceed_the_output_limit_of_a_decode() -> None:
    """A prompt of two tokens that starts over must not be taken for a retokenized word, which is computed as a decode
    step."""
    several = CachedScheduler()
    for name in "abcd":
        needs_all_logits = sequence(name, 2)
        needs_all_logits.needs_all_logits = True
        several.add(needs_all_logits)
    for _ in range(2):
        commit_all(several, several.plan(16))
    for each in list(several.running):
        assert each.prefix is not None
        several.invalidate_slot(each.prefix.slot)
    plan = several.plan(16)
    assert 0 < sum(len(entry.chunk.tokens) for entry in plan.entries) <= LIMITS.n_outputs


BIG = replace(LIMITS, n_cells=4096)


def prompt_shares(plan: BatchPlan) -> dict[str, int]:
    return {entry.sequence.id: len(entry.chunk.tokens) for entry in plan.entries if not entry.is_decoding}


def test_short_prompt_overtakes_the_rest_of_a_long_one() -> None:
    both = CachedScheduler(BIG)
    both.add(sequence("long", 1000, Priority.WINDOW))
    commit_all(both, both.plan(16))
    both.add(sequence("short", 10, Priority.WINDOW, kind=1))
    plan = both.plan(16)
    assert prompt_shares(plan) == {"short": 10}, "a part of the long one would delay the first token"
    assert "short" in {entry.sequence.id for entry in plan.entries if entry.chunk.sample_last}


def test_prompts_of_lower_priority_get_an_eighth_of_the_tokens_of_higher_ones() -> None:
    crowd = CachedScheduler(replace(BIG, n_running=16))
    crowd.add(sequence("person", 1000, Priority.WINDOW))
    n_lower = n_window = n_steps = 0
    while n_window < 900:
        crowd.add(sequence(f"tool {n_steps}", 12, max_tokens=1, kind=1 + n_steps))
        plan = crowd.plan(16)
        shares = prompt_shares(plan)
        n_window += shares.get("person", 0)
        n_lower += sum(shares.values()) - shares.get("person", 0)
        commit_all(crowd, plan)
        n_steps += 1
    assert 900 / 8 <= n_lower <= MAX_LOWER_PRIORITY_TOKENS + n_window / 8


def test_short_endpoint_prompt_is_computed_within_one_step_beside_a_long_window_prompt() -> None:
    both = CachedScheduler(BIG)
    both.add(sequence("person", 1000, Priority.WINDOW))
    commit_all(both, both.plan(16))
    both.add(sequence("tool", 10, kind=1))
    assert prompt_shares(both.plan(16)) == {"tool": 10}


def test_endpoint_prompt_waits_for_a_window_prompt_that_is_not_much_longer() -> None:
    both = CachedScheduler(BIG)
    both.add(sequence("tool", 10, Priority.ENDPOINT))
    both.add(sequence("person", 20, Priority.WINDOW, kind=1))
    assert prompt_shares(both.plan(16)) == {"person": 16}


def test_step_with_a_first_token_has_no_part_of_a_longer_prompt() -> None:
    both = CachedScheduler(BIG)
    both.add(sequence("long", 1000))
    commit_all(both, both.plan(16))
    both.add(short := sequence("short", 10, kind=1))
    short.is_deterministic = True
    shares = []
    while short.n_output < 2:
        plan = both.plan(16, 12)
        shares.append(prompt_shares(plan))
        commit_all(both, plan)
    assert shares == [{"short": 10}, {"long": 15}]


def steps_of(names: Sequence[str], running: CachedScheduler, n_prompt_tokens: int, n_beside: int) -> list[set[str]]:
    """Runs the steps until each of the sequences has output. Returns the sequences of each step."""
    steps: list[set[str]] = []
    while {each.id for each in running.waiting} | {each.id for each in running.running if not each.n_output}:
        plan = running.plan(n_prompt_tokens if not steps else 0, n_beside)
        steps.append({entry.sequence.id for entry in plan.entries})
        commit_all(running, plan)
    assert set().union(*steps) == set(names)
    return steps


def test_short_prompts_are_completed_in_several_steps_while_answers_of_the_endpoint_pause() -> None:
    crowd = CachedScheduler(replace(BIG, n_batch=64))
    for kind, name in enumerate("abcd"):
        crowd.add(sequence(name, 10, kind=kind))
    assert steps_of("abcd", crowd, 40, 20) == [{"a", "b"}, {"c", "d"}]
    assert {entry.sequence.id for entry in crowd.plan(40).entries} == set("abcd")


def test_answers_pause_no_longer_than_for_the_prompt_tokens_of_one_step() -> None:
    crowd = CachedScheduler(replace(BIG, n_batch=64))
    for kind, name in enumerate("abcd"):
        crowd.add(sequence(name, 10, kind=kind))
    assert steps_of("abcd", crowd, 30, 10)[:4] == [{"a"}, {"b"}, {"c"}, {"a", "b", "c"}]


def test_answers_of_the_window_do_not_pause() -> None:
    crowd = CachedScheduler(replace(BIG, n_batch=64))
    crowd.add(sequence("person", 10, Priority.WINDOW))
    commit_all(crowd, crowd.plan(40, 10))
    for kind, name in enumerate("abc", 1):
        crowd.add(sequence(name, 10, kind=kind))
    assert all("person" in {entry.sequence.id for entry in crowd.plan(30, 10).entries} for _ in range(3))


def test_deterministic_prompt_reuses_more_tokens_if_others_arrive_before_it_has_computed_most_of_them() -> None:
    crowd = CachedScheduler(replace(BIG, prompt_cut=128, n_batch=128))
    crowd.add(sequence("before", 40, max_tokens=1))
    crowd.finish_all()
    again = sequence("again", 60)
    again.is_deterministic = True
    crowd.add(again)
    plan = crowd.plan(128)
    assert prompt_shares(plan) == {"again": 59}, "alone, it computes the cached tokens again"
    crowd.roll_back(plan, interrupted=True)
    crowd.add(sequence("other", 10, kind=1))
    assert prompt_shares(crowd.plan(128, 128)) == {"again": 20, "other": 10}


@pytest.mark.parametrize("priority", [Priority.WINDOW, Priority.ENDPOINT])
def test_every_prompt_is_computed_within_a_bound_however_many_short_ones_arrive(priority: Priority) -> None:
    """A prompt is overtaken by at most its own length of its own priority. It gets at least an eighth as many tokens as
    prompts of a higher priority, however short these are."""
    crowd = CachedScheduler(replace(BIG, n_running=16, n_slots=33))
    long = sequence("long", 200, Priority.ENDPOINT)
    crowd.add(long)
    n_overtaking = n_steps = 0
    while long.n_output == 0:
        crowd.add(sequence(f"short {n_steps}", 5 + n_steps % 3, priority, max_tokens=1, kind=1 + n_steps))
        plan = crowd.plan(16, 2)
        n_overtaking += sum(n for name, n in prompt_shares(plan).items() if name != "long")
        commit_all(crowd, plan)
        n_steps += 1
        limit = 200 + 16 if priority == Priority.ENDPOINT else 8 * (200 + MAX_LOWER_PRIORITY_TOKENS)
        assert n_overtaking <= limit, "the long prompt starves"


def test_cached_tokens_of_a_prompt_do_not_count_in_its_deadline() -> None:
    both = CachedScheduler(BIG)
    first = sequence("first", 500, Priority.WINDOW, max_tokens=1)
    both.add(first)
    while not both.idle:
        commit_all(both, both.plan(16))
    both.add(sequence("other", 100, Priority.WINDOW, kind=1))
    commit_all(both, both.plan(16))
    both.add(SequenceState("second turn", Priority.WINDOW, (*first.tokens, 50, 51, 52), 4))
    assert next(iter(prompt_shares(both.plan(16)))) == "second turn"


def test_short_prompts_that_overtake_a_long_one_have_at_most_its_length_in_total() -> None:
    crowd = CachedScheduler(BIG)
    long = sequence("long", 400, Priority.WINDOW)
    crowd.add(long)
    n_overtaking = n_steps = 0
    while long.n_output == 0:
        crowd.add(sequence(f"short {n_steps}", 16, Priority.WINDOW, max_tokens=1, kind=1 + n_steps))
        plan = crowd.plan(16)
        n_overtaking += sum(n for name, n in prompt_shares(plan).items() if name != "long")
        commit_all(crowd, plan)
        n_steps += 1
    assert 300 < n_overtaking <= 400 + 16


def test_prompts_of_equal_length_are_served_in_order_of_arrival() -> None:
    three = CachedScheduler()
    for name, kind in (("a", 2), ("b", 0), ("c", 1)):
        three.add(sequence(name, 10, kind=kind))
    steps = []
    for _ in range(3):
        plan = three.plan(16)
        steps.append(list(prompt_shares(plan)))
        commit_all(three, plan)
    assert steps == [["a"], ["b"], ["c"]]


def test_short_window_prompt_preempts_a_long_prompt_that_has_no_output() -> None:
    full = CachedScheduler()
    long = sequence("long", 44, Priority.WINDOW)
    full.add(long)
    commit_all(full, full.plan(16))
    full.add(sequence("short", 8, Priority.WINDOW, max_tokens=2, kind=1))
    assert prompt_shares(full.plan(16)) == {"short": 7}, "it is alone, so its last token is a separate step"
    assert long.waits_for == "slot"
    full.finish_all()
    assert long.n_output > 0


def test_sequence_with_output_is_not_preempted_by_shorter_prompt() -> None:
    full = CachedScheduler()
    answering = sequence("answering", 40, Priority.WINDOW)
    full.add(answering)
    while answering.n_output == 0:
        commit_all(full, full.plan(16))
    full.add(sequence("short", 8, Priority.WINDOW, kind=1))
    assert [entry.sequence.id for entry in full.plan(16).entries] == ["answering"]


def test_sequence_with_a_shared_prompt_inherits_the_order_of_a_sequence_that_waits_for_it() -> None:
    three = CachedScheduler(BIG)
    shared = sequence("shared", 200, Priority.WINDOW)
    three.add(shared)
    commit_all(three, three.plan(16))
    three.add(sequence("other", 100, Priority.WINDOW, kind=1))
    commit_all(three, three.plan(16))
    waits = sequence("waits", 60, Priority.WINDOW)
    three.add(waits)
    three.plan(16)
    assert waits.waits_for == "shared_prompt"
    assert shared.prefill_order == waits.order < shared.order


def test_sequence_that_gets_no_tokens_in_a_plan_records_what_it_waits_for() -> None:
    limits = replace(BIG, n_running=2)
    crowd = CachedScheduler(limits)
    reading, behind, third = (sequence(name, 100, Priority.WINDOW, kind=kind) for kind, name in enumerate("abc"))
    for each in (reading, behind, third):
        crowd.add(each)
    crowd.plan(16)
    assert (reading.waits_for, behind.waits_for, third.waits_for) == (None, "other_prompts", "slot")


def repeatable(name: str, n_prompt: int, *, uses_cache: bool = True) -> SequenceState:
    return SequenceState(
        name, Priority.ENDPOINT, (0, *range(1, n_prompt)), 6, is_deterministic=True, uses_cache=uses_cache
    )


def chunks_of(run: CachedScheduler, memory: KvMemoryModel, one: SequenceState) -> list[tuple[int, tuple[int, ...]]]:
    """Runs a sequence to its end. Returns the start and the tokens of each of its chunks."""
    run.add(one)
    chunks = []
    while not run.idle:
        plan = run.plan(16)
        for op in plan.ops:
            memory.execute(op)
        for entry in plan.entries:
            memory.compute(entry.chunk.slot, entry.chunk.start, entry.chunk.tokens)
            chunks.append((entry.chunk.start, tuple(entry.chunk.tokens)))
        commit_all(run, plan)
    return chunks


def test_last_token_of_a_deterministic_prompt_is_a_separate_step_with_or_without_cache() -> None:
    memory = KvMemoryModel(LIMITS)
    run = CachedScheduler(LIMITS, memory)
    first = chunks_of(run, memory, repeatable("first", 20))
    cached = chunks_of(run, memory, repeatable("cached", 20))
    uncached = repeatable("uncached", 20, uses_cache=False)
    assert first[:3] == [(0, tuple(range(16))), (16, (16, 17, 18)), (19, (19,))]
    assert cached[0] == (19, (19,))
    assert cached == first[2:]
    assert chunks_of(run, memory, uncached) == first
    assert uncached.n_cached == 0


def test_rerun_of_deterministic_prompt_uses_the_same_cells() -> None:
    """In other cells sums round differently, which could change the answer."""
    run = CachedScheduler()
    first = repeatable("first", 20)
    run.add(first)
    run.finish_all()
    cells = list(run.cache.prefixes[0].cells)
    for again in (repeatable("again", 20), repeatable("uncached", 20, uses_cache=False)):
        run.add(again)
        run.finish_all()
        assert [sorted(prefix.cells) for prefix in run.cache.prefixes] == [sorted(cells)]


def test_rows_are_divided_equally_among_drafts_and_short_drafts_leave_their_rest() -> None:
    run = CachedScheduler()
    both = [sequence(name, 3, max_tokens=40, kind=ord(name)) for name in "abc"]
    for each in both:
        run.add(each)
    while not all(each.n_output for each in both):
        commit_all(run, run.plan(16))
    both[0].draft, both[1].draft, both[2].draft = [1] * 20, [1], [1] * 20
    plan = run.plan(16)
    # 12 rows have logits, and each sequence needs one for its last token
    assert [entry.chunk.n_drafted for entry in plan.entries] == [4, 1, 4]
    commit_all(run, plan)
    assert [each.n_output for each in both] == [6, 3, 6], "every accepted draft token and one more is appended"
    assert not any(each.draft for each in both)


def test_rejected_draft_tokens_are_removed_from_kv_memory() -> None:
    run, memory = CachedScheduler(), KvMemoryModel(LIMITS)
    one = sequence("one", 3, max_tokens=40)
    run.add(one)
    while not one.n_output:
        commit_all(run, run.plan(16))
    one.draft = [1, 1, 2, 1]
    plan = run.plan(16)
    memory.compute(0, 0, [0, 1, 2])
    memory.compute(0, 3, plan.entries[0].chunk.tokens)
    commit_all(run, plan)
    assert one.tokens == [0, 1, 2, 1, 1, 1, 1]
    assert one.n_computed == 6
    for op in run.plan(16).ops:
        memory.execute(op)
    assert [token for _, token in memory.slots[0]] == one.tokens[:6]


def test_draft_is_not_verified_beyond_max_tokens_nor_beside_prompt_log_probabilities() -> None:
    run = CachedScheduler()
    one = sequence("one", 3, max_tokens=4)
    run.add(one)
    while not one.n_output:
        commit_all(run, run.plan(16))
    other = sequence("other", 20, kind=1)
    other.needs_all_logits = True
    run.add(other)
    one.draft = [1] * 8
    assert [entry.chunk.n_drafted for entry in run.plan(4).entries if entry.sequence is one] == [0]
    run.remove(other)
    one.draft = [1] * 8
    plan = CachedScheduler.plan(run, 16)
    assert plan.entries[0].chunk.n_drafted == 2
    assert commit_all(run, plan) == ["one"]
