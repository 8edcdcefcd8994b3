"""The n-gram index: finds where the last tokens occurred before."""

from __future__ import annotations

import random

from engine.speculation.ngram_drafter import NgramDrafter
from engine.speculation.ngram_index import MAX_ADDED, MIN_MATCH, NgramIndex, continuation


def found(tokens: list[int], expected: int = -1) -> int | None:
    index = NgramIndex()
    index.update(tokens)
    match = index.find(tokens, expected)
    return match.at if match else None


def test_longest_match_wins_over_the_latest_one() -> None:
    assert found([9, 1, 2, 3, 4, 5, 1, 2, 3, 7, 9, 1, 2, 3]) == 4
    assert found([1, 2, 3, 4, 8, 1, 2, 3, 7, 1, 2, 3]) == 8, "of equally long matches, the latest one"
    assert found([1, 2, 9, 1, 2]) is None, f"fewer than {MIN_MATCH} tokens are equal"


def test_occurrence_near_the_expected_place_is_preferred() -> None:
    source = list(range(100, 140))
    tokens = [*source, 1, 2, 3, 50, 120, 121, 122, 60, *source[:15], 77, *source[16:23]]
    assert found(tokens) == 23
    assert found([*source, *range(19), 117, 118, 119, 5, *source[:16], 99, 117, 118, 119], expected=17) == 20


def test_index_that_grows_and_is_truncated_equals_a_new_one() -> None:
    draw = random.Random(4)
    index, tokens = NgramIndex(), [draw.randrange(3) for _ in range(2)]
    for _ in range(400):
        tokens += [draw.randrange(3) for _ in range(draw.randrange(6))]
        index.update(tokens)
        new = NgramIndex()
        new.update(tokens)
        assert (index._last, index._previous) == (new._last, new._previous)
        if draw.random() < 0.4:
            n = draw.randrange(max(0, len(tokens) - 5), len(tokens) + 1)
            index.truncate(tokens, n)
            tokens[n:] = [draw.randrange(3) for _ in range(min(2, len(tokens) - n))]


def test_continuation_repeats_the_end_of_a_text_that_repeats_itself() -> None:
    tokens = [5, 1, 2, 3, 1, 2, 3]
    assert continuation(tokens, 4, 7) == [1, 2, 3, 1, 2, 3, 1]
    assert continuation(tokens, 1, 3) == [1, 2, 3]


def test_long_text_is_added_in_several_calls() -> None:
    tokens = list(range(2 * MAX_ADDED + 10))
    index, n_calls = NgramIndex(), 1
    while not index.update(tokens):
        n_calls += 1
    assert n_calls == 3
    assert index.update(tokens)
    assert index._previous == [-1] * len(tokens)


def test_no_draft_is_proposed_before_a_long_prompt_is_in_the_index() -> None:
    tokens = [*range(2 * MAX_ADDED), 5, 6, 7, 8, 9]
    drafter = NgramDrafter(8, frozenset())
    assert drafter.propose(tokens) == []
    assert drafter.propose([*tokens, 10]) == []
    following = [drafter.propose([*tokens, *range(10, 11 + n)], cost=lambda n: 0.1 * n) for n in range(1, 30)]
    assert any(following)
    assert all(draft == list(range(draft[0], draft[0] + len(draft))) for draft in following if draft)
