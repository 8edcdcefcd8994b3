"""The cost of a step grows in proportion to the number of sequences."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.bench.step_scaling import decoding_session


def n_calls(action: Callable[[], None]) -> int:
    """Runs `action`, and returns how many functions it has called."""
    n = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal n
        n += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(None)
    return n


def calls_per_sequence(n_sequences: int) -> float:
    with decoding_session(n_sequences) as session:
        return min(n_calls(session.step) for _ in range(5)) / n_sequences


def test_calls_per_sequence_do_not_grow_with_the_number_of_sequences() -> None:
    assert calls_per_sequence(128) <= 1.1 * calls_per_sequence(16)
