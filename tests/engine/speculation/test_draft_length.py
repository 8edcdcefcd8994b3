"""How many draft tokens are verified: drafts must pay for themselves."""

from __future__ import annotations

import random

from engine.speculation.draft_length import (
    ALLOWANCE,
    INITIAL_BALANCE,
    LENGTHS,
    DraftLength,
    assumed_cost,
)

WEAK, STRONG = 3, 40


def cost(n: int) -> float:
    return assumed_cost(n, 100)


def run(lengths: DraftLength, acceptance: float, n_tokens: int, strength: int = STRONG, seed: int = 1) -> float:
    """Generates `n_tokens` tokens, of which each equals the predicted one with probability `acceptance`. Returns the
    time, in steps without drafts."""
    draw = random.Random(seed)
    n_done, spent = 0, 0.0
    while n_done < n_tokens:
        lengths.step_started()
        n = lengths.choose(strength, 63, cost)
        is_right = [draw.random() < acceptance for _ in range(n + 1)]
        n_right = next((at for at, right in enumerate(is_right) if not right), n + 1)
        if n:
            lengths.record_draft(strength, min(n_right, n), cost(n), is_rejected=n_right < n)
        else:
            lengths.observe(strength, int(is_right[0]), int(not is_right[0]))
        n_done += min(n_right, n) + 1
        spent += 1.0 + (cost(n) if n else 0.0)
    return spent


def test_length_grows_to_the_greatest_while_everything_is_accepted() -> None:
    lengths = DraftLength()
    chosen = []
    for _ in range(20):
        lengths.step_started()
        n = lengths.choose(STRONG, 63, cost)
        chosen.append(n)
        lengths.record_draft(STRONG, n, cost(n), is_rejected=False)
    assert chosen == sorted(chosen)
    assert 0 < chosen[0] <= 4
    assert chosen[-1] == LENGTHS[-1]
    assert chosen.index(63) < 8
    assert lengths.choose(STRONG, 20, cost) == 20, "the limit of the request is obeyed"


def test_useless_drafts_lose_at_most_the_allowance() -> None:
    for strength in (WEAK, STRONG):
        spent = run(DraftLength(), 0.0, 1000, strength)
        assert spent <= 1000 * (1 + ALLOWANCE) + INITIAL_BALANCE + 1


def test_loss_is_bounded_at_every_acceptance() -> None:
    for percent in range(0, 100, 10):
        for seed in range(5):
            assert run(DraftLength(), percent / 100, 2000, seed=seed) <= 2000 * 1.02


def test_copying_takes_less_than_half_the_time() -> None:
    assert run(DraftLength(), 0.998, 1500) < 750


def test_drafts_are_tried_again_when_a_text_starts_to_repeat_itself() -> None:
    lengths = DraftLength()
    run(lengths, 0.1, 500)
    assert run(lengths, 1.0, 1000) < 600


def test_weak_matches_are_drafted_only_after_their_predictions_were_right() -> None:
    lengths = DraftLength()
    lengths.step_started()
    assert lengths.choose(WEAK, 63, cost) == 0
    lengths.observe(WEAK, 40, 0)
    assert lengths.choose(WEAK, 63, cost) > 0
