"""Which hidden states are kept for the MTP layers, and which of them belong to a request's tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.backend import DraftTask
from engine.native.mtp import MAX_STATES, _States


def add(states: _States, start: int, tokens: Sequence[int]) -> None:
    """Adds states whose only number is their token."""
    states.add(start, tokens, [np.array([token], np.float32) for token in tokens])


def task(tokens: list[int], n_prompt: int) -> DraftTask:
    return DraftTask("id", 0, tokens, n_prompt, 1)


def before_last(states: _States, tokens: list[int], n_prompt: int) -> tuple[int, list[int]]:
    start, found = states.before_last(task(tokens, n_prompt))
    return start, [int(each[0]) for each in found]


def test_states_begin_at_the_last_prompt_token() -> None:
    states = _States()
    add(states, 3, [13, 14, 15])
    assert before_last(states, [10, 11, 12, 13, 14, 15, 16], 5) == (4, [14, 15])
    assert before_last(states, [10, 11, 12, 13, 14, 15, 16], 4) == (3, [13, 14, 15])


def test_states_of_rejected_tokens_are_replaced() -> None:
    states = _States()
    add(states, 0, [10, 11, 98, 99])
    add(states, 2, [12, 13])
    assert before_last(states, [10, 11, 12, 13, 14], 1) == (0, [10, 11, 12, 13])


def test_states_that_do_not_reach_the_last_token_or_belong_to_other_tokens_are_not_used() -> None:
    states = _States()
    assert before_last(states, [10, 11], 1) == (1, [])
    add(states, 0, [10, 11])
    assert before_last(states, [10, 11, 12, 13], 1)[1] == []
    assert before_last(states, [10, 21, 12], 1)[1] == []


def test_states_begin_after_replaced_tokens() -> None:
    states = _States()
    add(states, 0, [10, 11, 12])
    add(states, 3, [13])
    assert before_last(states, [10, 21, 22, 13, 14], 1) == (3, [13])
    add(states, 4, [14])
    assert before_last(states, [10, 21, 22, 13, 14, 15], 1) == (3, [13, 14])


def test_states_after_a_gap_replace_earlier_ones() -> None:
    states = _States()
    add(states, 0, [10, 11])
    add(states, 4, [14])
    assert before_last(states, [10, 11, 12, 13, 14, 15], 1) == (4, [14])


def test_number_of_states_is_limited() -> None:
    states = _States()
    tokens = list(range(MAX_STATES + 20))
    for start in range(0, len(tokens), 7):
        add(states, start, tokens[start : start + 7])
    start, found = before_last(states, [*tokens, 0], 1)
    assert (start, found) == (20, tokens[20:])
    assert len(states.states) == MAX_STATES
