"""Chooses how many draft tokens are worth verifying in one step.

All amounts of time are in units of the time of a step without draft tokens, which yields one token. A draft of `k`
tokens that costs `cost(k)` is worth it if more than `cost(k)` of its tokens are accepted on average.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

LENGTHS = (1, 2, 3, 4, 6, 8, 11, 15, 20, 26, 34, 47, 63)
"""The draft lengths to choose from. llama.cpp computes attention in tiles of 64 rows on a CPU: with 63 draft tokens,
a row takes a third less time than with 47."""

STRENGTHS = (5, 9, 17)
"""Matches are divided into classes by these strengths (see `ngram_index.Match`)."""

INITIAL_ACCEPTANCE, INITIAL_WEIGHT = (0.3, 0.5, 0.75, 0.85), 4.0
"""Assumed share of accepted draft tokens for each class of strength, and the number of observed tokens that it counts
for."""

MAX_WEIGHT = 128.0
"""When the observed tokens of a class reach this number, all of them count half."""

INITIAL_BALANCE, MAX_BALANCE = 1.5, 40.0
"""Time that drafts may lose before they have won any, and the greatest time that earlier gains allow to lose."""

ALLOWANCE = 0.01
"""Share of the time of every step that is added to the balance, so that drafts are tried again after losses."""


class DraftLength:
    """Learns for one request which drafts are accepted. Its decisions depend on nothing but the calls of its methods.

    Drafts must pay for themselves: what they lost beyond what they won is at most INITIAL_BALANCE plus the ALLOWANCE
    of the steps so far."""

    def __init__(self) -> None:
        self._accepted = [share * INITIAL_WEIGHT for share in INITIAL_ACCEPTANCE]
        self._rejected = [(1.0 - share) * INITIAL_WEIGHT for share in INITIAL_ACCEPTANCE]
        self._balance = INITIAL_BALANCE

    def choose(self, strength: int, n_max: int, cost: Callable[[int], float]) -> int:
        """Returns the number of draft tokens, at most `n_max`, with the greatest expected gain; 0 if none gains."""
        kind = _kind(strength)
        share = self._accepted[kind] / (self._accepted[kind] + self._rejected[kind])
        best, most = 0, 0.0
        for n in takewhile(lambda each: each <= n_max, LENGTHS):
            spent = cost(n)
            gain = share * (1.0 - share**n) / (1.0 - share) - spent
            if gain > most and spent <= self._balance:
                best, most = n, gain
        return best

    def step_started(self) -> None:
        self._balance = min(MAX_BALANCE, self._balance + ALLOWANCE)

    def record_draft(self, strength: int, n_accepted: int, spent: float, *, is_rejected: bool) -> None:
        """Records a verified draft. `spent` is its cost; `is_rejected` says that the token after the accepted ones was
        another one than the draft's."""
        self._balance = min(MAX_BALANCE, self._balance + n_accepted - spent)
        self.observe(strength, n_accepted, int(is_rejected))

    def observe(self, strength: int, n_right: int, n_wrong: int) -> None:
        """Records tokens that a match predicted, whether or not they were verified as a draft."""
        kind = _kind(strength)
        self._accepted[kind] += n_right
        self._rejected[kind] += n_wrong
        if self._accepted[kind] + self._rejected[kind] > MAX_WEIGHT:
            self._accepted[kind] /= 2
            self._rejected[kind] = max(self._rejected[kind] / 2, 0.25)


def _kind(strength: int) -> int:
    return sum(strength >= least for least in STRENGTHS)


def assumed_cost(n_drafted: int, n_tokens: int) -> float:
    """Cost of verifying draft tokens on a machine that computes every row of a step one after the other. Used where
    the decision must not depend on measured times. `n_tokens` is the length of the context.

    Measured with SmolLM2-135M on two cores: a draft token costs 0.42 of a step after 100 tokens, 0.57 after 1,500 and
    0.70 after 3,500; with 63 of them 0.41, 0.42 and 0.49. A larger model on a faster machine needs less."""
    attention = 0.0 if n_drafted >= 63 else 0.3 * min(n_tokens / 3500, 1.0)
    return 0.3 + (0.4 + attention) * n_drafted
