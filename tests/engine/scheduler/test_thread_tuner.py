"""The thread tuner on a simulated machine, where the step time depends on the thread count and on other processes."""

from __future__ import annotations

from collections.abc import Callable

from engine.scheduler.thread_tuner import ThreadCountPolicy, candidate_thread_counts

QUIET = {1: 0.0114, 2: 0.0074}
BUSY = {1: 0.0147, 2: 0.042}
"""Measured seconds per decode step on two cores, by thread count: QUIET without other processes, BUSY beside one busy
process."""


def run(counts: ThreadCountPolicy, cost_s: Callable[[int], float], n_steps: int, n_tokens: int = 1) -> list[int]:
    used = []
    for _ in range(n_steps):
        used.append(counts.choose(n_tokens))
        counts.record(n_tokens, cost_s(used[-1]))
    return used


def test_candidate_thread_counts_grow_in_larger_steps_up_to_the_number_of_cores() -> None:
    assert candidate_thread_counts(1) == (1,)
    assert candidate_thread_counts(2) == (1, 2)
    assert candidate_thread_counts(6) == (1, 2, 3, 4, 6)
    assert candidate_thread_counts(10) == (1, 2, 3, 4, 6, 8, 10)


def test_quiet_machine_loses_less_than_1_percent_to_probes() -> None:
    used = run(ThreadCountPolicy((1, 2)), QUIET.__getitem__, 2000)
    assert sum(QUIET[n] for n in used) < 1.01 * 2000 * QUIET[2]


def test_thread_count_is_reduced_while_another_process_is_busy() -> None:
    counts = ThreadCountPolicy((1, 2))
    run(counts, QUIET.__getitem__, 500)
    beside = run(counts, BUSY.__getitem__, 500)
    assert sum(BUSY[n] for n in beside) < 1.08 * 500 * BUSY[1]
    back = run(counts, QUIET.__getitem__, 1000)
    assert set(back[-200:]) <= {1, 2}
    assert back[-200:].count(2) > 190


def test_short_disturbance_reduces_the_thread_count_for_a_few_steps_only() -> None:
    for n_disturbed in range(3, 9):
        counts = ThreadCountPolicy((1, 2))
        run(counts, QUIET.__getitem__, 500)
        run(counts, BUSY.__getitem__, n_disturbed)
        assert run(counts, QUIET.__getitem__, 100).count(1) < 12


def test_tuner_finds_the_fastest_of_many_thread_counts() -> None:
    counts = ThreadCountPolicy(candidate_thread_counts(16))
    used = run(counts, lambda n: 0.001 * (10 + abs(n - 6)), 3000)
    assert used[-300:].count(6) > 280


def test_prompts_have_a_thread_count_separate_from_that_of_decodes() -> None:
    counts = ThreadCountPolicy((1, 2))
    run(counts, BUSY.__getitem__, 200)
    assert counts.choose(1) == 1
    assert counts.choose(64) == 2


def test_tuner_with_one_thread_count_always_uses_it() -> None:
    assert set(run(ThreadCountPolicy((4,)), lambda n: 0.01, 100)) == {4}


def test_no_other_thread_count_is_probed_if_exploration_is_not_allowed() -> None:
    counts = ThreadCountPolicy((1, 2))
    # a change of the thread count for decode steps also requests a probe for prompts
    run(counts, BUSY.__getitem__, 200)
    for n in range(400):
        assert counts.choose(32, may_explore=False) == 2, n
        counts.record(32, 0.1, may_explore=False)
    assert set(run(counts, lambda count: 0.2 / count, 40, n_tokens=32)) == {1, 2}, "exploration resumes"


def test_running_probe_is_postponed_if_exploration_is_not_allowed() -> None:
    counts = ThreadCountPolicy((1, 2))
    run(counts, BUSY.__getitem__, 200)
    while counts.choose(32) == 2:
        counts.record(32, 0.1)
    assert counts.choose(32, may_explore=False) == 2


def test_slow_steps_start_a_probe_even_if_exploration_is_not_allowed() -> None:
    counts = ThreadCountPolicy((1, 2))
    used = []
    for n in range(100):
        used.append(counts.choose(32, may_explore=False))
        counts.record(32, {1: 0.2, 2: 0.1 if n < 50 else 0.5}[used[-1]], may_explore=False)
    assert set(used[:50]) == {2}
    assert used[60:].count(1) > 35


def test_thread_counts_for_prompts_are_probed_only_after_decode_steps_found_a_change() -> None:
    reading = {1: 0.36, 2: 0.26}
    counts = ThreadCountPolicy((1, 2))
    assert set(run(counts, reading.__getitem__, 100, n_tokens=64)) == {2}
    run(counts, BUSY.__getitem__, 200)  # another process starts, and decode steps detect it
    beside = {1: 0.4, 2: 1.3}
    assert run(counts, beside.__getitem__, 50, n_tokens=64)[-20:].count(1) > 15
    run(counts, QUIET.__getitem__, 1000)
    assert run(counts, reading.__getitem__, 100, n_tokens=64)[-50:] == [2] * 50


def test_step_with_prompt_tokens_beside_answers_uses_the_count_that_decode_steps_have_found() -> None:
    counts = ThreadCountPolicy((1, 2))
    assert counts.n_threads_beside_answers == 2
    run(counts, QUIET.__getitem__, 50)
    assert counts.n_threads_beside_answers == 2, "a probe of a decode step does not change it"
    run(counts, BUSY.__getitem__, 500)
    assert counts.n_threads_beside_answers == 1


def _policy_beside_busy_process() -> ThreadCountPolicy:
    """A policy that has found that one of two threads is better."""
    policy = ThreadCountPolicy((1, 2))
    for _ in range(40):
        policy.record(1, {1: 0.016, 2: 0.009}[policy.choose(1)])
    for _ in range(200):
        policy.record(1, {1: 0.016, 2: 0.029}[policy.choose(1)])
    assert policy.choose(1) == 1
    return policy


def test_reproducible_steps_use_fewer_threads_while_another_process_is_still_busy() -> None:
    policy = _policy_beside_busy_process()
    policy.start_reproducible()
    used = []
    for _ in range(20):
        used.append(policy.choose_reproducible())
        policy.record_reproducible({1: 0.016, 2: 0.029}[used[-1]])
    assert used[0] == 2
    assert used[8:] == [1] * 12


def test_reproducible_steps_use_all_threads_once_no_other_process_is_busy() -> None:
    policy = _policy_beside_busy_process()
    policy.start_reproducible()
    used = []
    for _ in range(50):
        used.append(policy.choose_reproducible())
        policy.record_reproducible({1: 0.016, 2: 0.009}[used[-1]])
    assert used == [2] * 50


def test_steps_with_different_numbers_of_draft_tokens_do_not_look_like_a_slow_machine() -> None:
    counts = ThreadCountPolicy((1, 2))
    used = []
    for n_tokens in [6, 6, 6, 6, 15, 15, 15, 15] * 60:
        used.append(counts.choose(n_tokens))
        counts.record(n_tokens, {1: 0.006, 2: 0.0035}[used[-1]] * (3 + n_tokens))
    assert used.count(1) < 10


def test_another_busy_process_is_detected_by_steps_with_draft_tokens() -> None:
    counts = ThreadCountPolicy((1, 2))
    used = []
    for at, n_tokens in enumerate([2, 5, 9, 14] * 100):
        used.append(counts.choose(n_tokens))
        counts.record(n_tokens, {1: 0.006, 2: 0.0035 if at < 200 else 0.015}[used[-1]] * (3 + n_tokens))
    assert used[:200].count(1) < 10
    assert used[300:].count(1) > 80
