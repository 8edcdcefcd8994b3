"""The estimate of the time that the rest of a prompt takes."""

from __future__ import annotations

import itertools

import pytest

from desktop.chat.time_left import AVERAGED_S, MIN_MEASURED_S, TimeLeft

N_LEFT = 1_000


def estimates(time_left: TimeLeft, n_read: int, prefill_s: float, tokens_per_s: int, steps: int) -> list[float]:
    """Reads for a number of steps of 0.25 s, and returns the estimate for the next N_LEFT tokens after each,
    rounded to microseconds."""
    found = []
    for step in range(1, steps + 1):
        time_left.add(n_read + step * tokens_per_s // 4, prefill_s + step / 4)
        found.append(time_left.seconds(N_LEFT))
    assert None not in found
    return [round(each, 6) for each in found if each is not None]


def warmed_up() -> TimeLeft:
    """An estimate after 20 s at 400 tokens per second."""
    time_left = TimeLeft()
    time_left.add(400, 1.0)
    assert estimates(time_left, 400, 1.0, 400, 76)[-1] == N_LEFT / 400
    return time_left


def test_no_estimate_before_the_speed_is_measured() -> None:
    time_left = TimeLeft()
    assert time_left.seconds(N_LEFT) is None
    time_left.add(100, MIN_MEASURED_S / 2)
    assert time_left.seconds(N_LEFT) is None


def test_constant_speed_is_the_estimate() -> None:
    assert warmed_up().seconds(400) == pytest.approx(1.0)


def test_estimate_approaches_lower_speed_in_small_steps_and_never_exceeds_it() -> None:
    """Another request begins, and the speed falls from 400 to 100 tokens per second."""
    found = [N_LEFT / 400, *estimates(warmed_up(), 8_000, 20.0, 100, 100)]
    assert found == sorted(found)
    assert found[-1] <= N_LEFT / 100
    assert found[-1] > 0.95 * N_LEFT / 100
    largest = max(after - before for before, after in itertools.pairwise(found))
    assert largest < 0.1 * N_LEFT / 100
    assert found[int(4 * AVERAGED_S)] < 0.8 * N_LEFT / 100


def test_estimate_approaches_higher_speed_and_never_falls_below_it() -> None:
    found = estimates(warmed_up(), 8_000, 20.0, 1_600, 100)
    assert found == sorted(found, reverse=True)
    assert found[-1] >= N_LEFT / 1_600


def test_step_without_tokens_counts_with_the_next_one() -> None:
    time_left = warmed_up()
    time_left.add(8_000, 20.5)
    assert time_left.seconds(400) == pytest.approx(1.0)
    time_left.add(8_400, 21.0)
    assert time_left.seconds(400) == pytest.approx(1.0)
