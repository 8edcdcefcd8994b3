"""How many prompt tokens a step may have, and which pace the scheduler asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.priority import Priority
from engine.scheduler.prefill_budget import (
    AWAITED,
    BESIDE_FIRST_TOKEN_S,
    ENDPOINT_ANSWER,
    FIRST_TOKEN_STEP_S,
    LONE,
    MIN_CHUNK,
    MIN_FIRST_TOKEN_STEP,
    SHARED,
    WIDE,
    WINDOW_ANSWER,
    Pace,
    PrefillBudget,
)
from tests.engine.scheduler.scheduler_harness import LIMITS, CachedScheduler, commit_all, sequence


def measured_budget(token_s: float) -> PrefillBudget:
    budget = PrefillBudget(256, token_s)
    for _ in range(5):
        budget.record(256, 256 * token_s, LONE)
    return budget


@pytest.mark.parametrize(("token_s", "n"), [(0.001, 256), (0.004, 192), (0.01, 64), (0.1, 64)])
def test_step_is_short_while_the_user_of_the_window_awaits_a_first_token(token_s: float, n: int) -> None:
    budget = measured_budget(token_s)
    assert budget.tokens(AWAITED) == n
    assert n == MIN_FIRST_TOKEN_STEP or n * token_s <= FIRST_TOKEN_STEP_S
    assert budget.tokens(LONE) == 256, "a prompt of the endpoint alone uses full batches"


def step_s(n: int, n_cells: int) -> float:
    """Duration of a step with `n` prompt tokens beside one answer, as measured with SmolLM2-135M on two cores."""
    return 0.009 + n * (0.0032 + n_cells * (1.3e-6 if n >= WIDE else 2.8e-6))


@pytest.mark.parametrize("pace", [SHARED, ENDPOINT_ANSWER, WINDOW_ANSWER])
def test_steps_that_others_wait_for_stay_within_their_limit(pace: Pace) -> None:
    """Also after full batches, and after the prompt of a short question, whose tokens take less time."""
    budget = PrefillBudget(256)
    n_cells, durations = 0, []
    while n_cells < 3_000:
        budget.record(256, step_s(256, n_cells + 256), LONE)
        n_cells += 256
        budget.record(40, step_s(40, 40), SHARED)
        for _ in range(8):
            n = budget.tokens(pace)
            durations.append(step_s(n, n_cells + n))
            budget.record(n, durations[-1], pace)
            n_cells += n
    assert max(durations) < 1.4 * pace.step_s
    assert sum(durations) / len(durations) < 1.1 * pace.step_s


@pytest.mark.parametrize("pace", [SHARED, ENDPOINT_ANSWER, WINDOW_ANSWER])
@pytest.mark.parametrize("token_s", [0.0001, 0.004, 0.02, 0.5])
def test_step_that_others_wait_for_is_forecast_within_its_limit(pace: Pace, token_s: float) -> None:
    n = measured_budget(token_s).tokens(pace)
    assert n in (MIN_CHUNK, WIDE) or n * token_s <= pace.step_s
    assert n * token_s > pace.step_s / 2 or n == 256


@pytest.mark.parametrize("pace", [ENDPOINT_ANSWER, WINDOW_ANSWER])
def test_running_answers_get_their_share_of_steps_without_prompt_tokens(pace: Pace) -> None:
    budget = measured_budget(0.004)
    prompt_s = decode_s = 0.0
    for _ in range(500):
        n = budget.tokens(pace)
        seconds = 0.01 + 0.004 * n
        budget.record(n, seconds, pace)
        prompt_s, decode_s = (prompt_s + seconds, decode_s) if n else (prompt_s, decode_s + seconds)
    assert pace.decode_share <= decode_s / (decode_s + prompt_s) < pace.decode_share + 0.06


def test_few_tokens_are_computed_beside_a_first_token() -> None:
    assert measured_budget(0.1).n_beside_first_token == MIN_CHUNK
    assert measured_budget(0.0005).n_beside_first_token == BESIDE_FIRST_TOKEN_S / 0.0005
    assert measured_budget(0.00001).n_beside_first_token == 256


def test_pace_follows_from_who_waits_for_the_end_of_a_step() -> None:
    run = CachedScheduler()
    paces = [run.pace]
    run.add(sequence("tool", 10, Priority.ENDPOINT, max_tokens=3))
    paces.append(run.pace)
    run.add(sequence("person", 10, Priority.WINDOW, kind=1, max_tokens=1))
    paces.append(run.pace)
    commit_all(run, run.plan(11))
    paces.append(run.pace)
    while not run.running[0].n_output:
        commit_all(run, run.plan(16))
    paces.append(run.pace)
    run.add(sequence("person again", 10, Priority.WINDOW, kind=2, max_tokens=2))
    paces.append(run.pace)
    commit_all(run, run.plan(16))
    paces.append(run.pace)
    assert paces == [LONE, LONE, SHARED, LONE, ENDPOINT_ANSWER, SHARED, WINDOW_ANSWER]


def test_deterministic_prompt_of_the_window_is_computed_in_full_batches() -> None:
    run = CachedScheduler()
    asked = sequence("person", 10, Priority.WINDOW)
    run.add(asked)
    assert run.pace is AWAITED
    asked.is_deterministic = True
    assert run.pace is LONE


def test_requests_that_wait_for_the_same_prompt_do_not_shorten_its_steps() -> None:
    run = CachedScheduler()
    for name in "ab":
        run.add(sequence(name, 40, max_tokens=1))
    run.plan(8)
    assert run.pace is LONE


def test_answer_that_is_computed_again_gets_whole_steps() -> None:
    scheduler = CachedScheduler(replace(LIMITS, n_cells=1024, n_batch=256))
    scheduler.add(answer := sequence("answer", 600, Priority.WINDOW, max_tokens=9))
    while not answer.n_output:
        commit_all(scheduler, scheduler.plan(256))
    assert answer.prefix is not None
    scheduler.invalidate_slot(answer.prefix.slot)
    scheduler.plan(0)
    budget = measured_budget(0.001)
    budget.record(50, 0.05, WINDOW_ANSWER)
    assert answer.n_pending > 50
    assert budget.tokens(scheduler.pace) > 50
