"""How many prompt tokens a step reads."""

from __future__ import annotations

import pytest

from engine.priority import ENDPOINT, WINDOW
from engine.scheduler.prefill_budget import MIN_READING, READING_S, PrefillBudget
from engine.scheduler.scheduler import Scheduler
from tests.engine.scheduler.scheduler_harness import END, LIMITS, sequence


def pacer(token_s: float) -> PrefillBudget:
    one = PrefillBudget(256, token_s)
    for _ in range(5):
        one.record(256, 256 * token_s, window_is_decoding=False)
    return one


@pytest.mark.parametrize(("token_s", "n"), [(0.001, 256), (0.004, 192), (0.01, 64), (0.1, 64)])
def test_step_is_short_while_the_window_waits_for_a_first_word(token_s: float, n: int) -> None:
    one = pacer(token_s)
    assert one.allowance(False, window_awaits_first_token=True) == n
    assert n == MIN_READING or n * token_s <= READING_S
    assert one.allowance(False) == 256, "an endpoint's prompt alone is read in full steps"


def test_window_waits_from_its_question_to_its_first_token() -> None:
    run = Scheduler(LIMITS, frozenset({END}))
    waits = []
    run.add(sequence("tool", 10, ENDPOINT))
    waits.append(run.window_awaits_first_token)
    asked = sequence("person", 10, WINDOW, kind=1)
    run.add(asked)
    waits.append(run.window_awaits_first_token)
    while not asked.n_output:
        plan = run.plan(16)
        run.commit(plan, {entry.sequence.id: 1 for entry in plan.entries if entry.chunk.samples})
    waits.append(run.window_awaits_first_token)
    assert waits == [False, True, False]


def test_repeatable_prompt_is_read_in_steps_of_one_size() -> None:
    run = Scheduler(LIMITS, frozenset({END}))
    asked = sequence("person", 10, WINDOW)
    asked.is_deterministic = True
    run.add(asked)
    run.plan(4)
    assert not run.window_awaits_first_token
