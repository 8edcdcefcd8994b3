"""The budget of prompt tokens per step, and when the user of the app's window waits for a first token."""

from __future__ import annotations

import pytest

from engine.priority import Priority
from engine.scheduler.prefill_budget import FIRST_TOKEN_STEP_S, MIN_FIRST_TOKEN_STEP, PrefillBudget
from tests.engine.scheduler.scheduler_harness import CachedScheduler, commit_all, sequence


def measured_budget(token_s: float) -> PrefillBudget:
    budget = PrefillBudget(256, token_s)
    for _ in range(5):
        budget.record(256, 256 * token_s, window_is_decoding=False)
    return budget


@pytest.mark.parametrize(("token_s", "n"), [(0.001, 256), (0.004, 192), (0.01, 64), (0.1, 64)])
def test_step_is_short_while_the_user_of_the_window_awaits_a_first_token(token_s: float, n: int) -> None:
    budget = measured_budget(token_s)
    assert budget.tokens(window_is_decoding=False, window_awaits_first_token=True) == n
    assert n == MIN_FIRST_TOKEN_STEP or n * token_s <= FIRST_TOKEN_STEP_S
    assert budget.tokens(window_is_decoding=False) == 256, "a prompt of the endpoint alone uses full batches"


def test_window_awaits_first_token_only_between_request_and_first_token() -> None:
    run = CachedScheduler()
    waits = []
    run.add(sequence("tool", 10, Priority.ENDPOINT))
    waits.append(run.window_awaits_first_token)
    asked = sequence("person", 10, Priority.WINDOW, kind=1)
    run.add(asked)
    waits.append(run.window_awaits_first_token)
    while not asked.n_output:
        plan = run.plan(16)
        commit_all(run, plan)
    waits.append(run.window_awaits_first_token)
    assert waits == [False, True, False]


def test_window_does_not_await_first_token_while_a_deterministic_prompt_is_computed() -> None:
    run = CachedScheduler()
    asked = sequence("person", 10, Priority.WINDOW)
    asked.is_deterministic = True
    run.add(asked)
    run.plan(4)
    assert not run.window_awaits_first_token
