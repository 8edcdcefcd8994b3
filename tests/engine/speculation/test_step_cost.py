"""The measured cost of draft tokens, and when drafts do not pay."""

from __future__ import annotations

from engine.speculation.draft_length import DraftLength
from engine.speculation.step_cost import CLASSES, StepCost


def measured(seconds_of: dict[int, float]) -> StepCost:
    cost = StepCost()
    for _ in range(30):
        for n_rows, seconds in seconds_of.items():
            cost.record(n_rows, seconds)
    return cost


def accepts_everything(cost: StepCost, n_decoding: int) -> int:
    """Returns the length of the drafts that are chosen after many accepted ones."""
    lengths, of_draft = DraftLength(), cost.of_draft(n_decoding)
    lengths.observe(40, 100, 0)
    for _ in range(3000):
        lengths.step_started()
    return lengths.choose(40, 63, of_draft)


def test_durations_are_interpolated_and_follow_new_measurements() -> None:
    cost = measured({1: 0.01, 8: 0.04, 16: 0.08})
    assert cost.seconds(1) == 0.01
    assert abs(cost.seconds(12) - 0.06) < 1e-9
    assert cost.seconds(64) > 4 * cost.seconds(8), "assumed to grow beyond what was measured"
    for _ in range(40):
        cost.record(1, 0.03)
    assert abs(cost.seconds(1) - 0.03) < 1e-4
    assert cost.seconds(4) >= cost.seconds(1)


def test_nothing_is_forecast_before_the_first_measurement() -> None:
    assert StepCost().seconds(4) == 0.0
    assert StepCost().of_draft(1)(2) > 0.0


def test_rows_that_cost_nothing_are_drafted_and_rows_at_full_cost_are_not() -> None:
    nearly_free = measured({1: 0.1, 8: 0.11, 64: 0.15})
    full_cost = measured({n: 0.01 * n for n in CLASSES})
    assert accepts_everything(nearly_free, 1) == 63
    assert accepts_everything(full_cost, 1) == 0


def test_drafts_stop_at_the_number_of_sequences_beyond_which_rows_cost_as_much_as_steps() -> None:
    # up to eight rows are nearly free, and every further row costs as much as one of the eight
    cost = measured({1: 0.1, 2: 0.101, 4: 0.103, 8: 0.108, 16: 0.216, 32: 0.432, 64: 0.864})
    assert accepts_everything(cost, 1) > 0
    assert accepts_everything(cost, 2) > 0
    assert accepts_everything(cost, 8) == 0
    assert accepts_everything(cost, 12) == 0


def test_number_of_rows_is_limited_by_the_duration_of_a_step() -> None:
    cost = measured({1: 0.01, 8: 0.04, 16: 0.07, 32: 0.14, 64: 0.26})
    assert cost.n_rows_within(0.2) == 48
    assert cost.n_rows_within(0.05) == 8
    assert cost.n_rows_within(0.001) == 1
