"""Divides the prompt tokens of a step among the sequences whose prompts are computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.scheduler.prefill_budget import MIN_CHUNK
from engine.scheduler.sequence import SequenceState

LOWER_PRIORITY_SHARE = 8
"""While prompts of the highest priority are computed, the others get one token for this number of tokens. So a short
question to the endpoint is answered while a long prompt of the app's window is computed."""

MAX_LOWER_PRIORITY_TOKENS = 64
"""Maximum number of tokens that prompts of lower priority get at once, after they got none for a while. The share of
further tokens is due at once, however short the prompts of the highest priority are."""


class PromptShares:
    """Decides how many prompt tokens each sequence gets in a step.

    Sequences are served in order. But before those of the highest priority, the others get up to 1 /
    LOWER_PRIORITY_SHARE of the tokens that are computed for these, and no more than that share of the tokens that these
    still need, unless they got none for a long time. A step in which the first token of an answer is sampled contains
    other prompts only if these are short and are completed in it."""

    def __init__(self) -> None:
        self._credit = float(MAX_LOWER_PRIORITY_TOKENS)
        """Number of tokens that sequences of lower priority may get before those of the highest priority."""

    def divide(
        self,
        ordered: Sequence[SequenceState],
        n_tokens: int,
        n_outputs: int,
        n_beside_first_token: int,
        *,
        has_first_token: bool = False,
    ) -> dict[SequenceState, int]:
        """Returns the number of prompt tokens for each sequence that gets some, at most `n_tokens` in total. `ordered`
        are the sequences with prompt tokens to compute. At most `n_outputs` tokens need logits of their own.

        After a sequence whose first token is sampled in this step or the next one, other sequences get tokens only if
        their prompts are completed too, and only up to a total of `n_beside_first_token`. With `has_first_token`, the
        step already contains such a sequence, which is not in `ordered`."""
        first = [each for each in ordered if each.priority == ordered[0].priority]
        lower = ordered[len(first) :]
        division = _Division(n_tokens, n_outputs, n_beside_first_token, has_first_token=has_first_token)
        n_before = division.give(lower, self._n_due(sum(each.n_pending for each in first))) if lower else 0
        n_given = division.give(first, n_tokens)
        limit = (2 if lower else 1) * MAX_LOWER_PRIORITY_TOKENS
        self._credit = min(limit, self._credit - n_before + n_given / LOWER_PRIORITY_SHARE)
        if all(division.shares.get(each, 0) == each.n_to_prefill for each in first):
            division.give(lower, n_tokens)
        return division.shares

    def _n_due(self, n_needed: int) -> int:
        """How many tokens the sequences of lower priority get before those of the highest one, which still need
        `n_needed` tokens. 0 if they are so few that it is better to give more of them later."""
        n_least = int(self._credit) - MAX_LOWER_PRIORITY_TOKENS
        n = max(n_least, min(int(self._credit), n_needed // LOWER_PRIORITY_SHARE))
        return n if n >= MIN_CHUNK else 0


class _Division:
    def __init__(self, n_tokens: int, n_outputs: int, n_beside_first_token: int, *, has_first_token: bool) -> None:
        self.shares: dict[SequenceState, int] = {}
        self._n_left = n_tokens
        self._n_outputs_left = n_outputs
        self._n_beside_first_token = n_beside_first_token
        self._has_first_token = False
        """Whether the first token of an answer is sampled in this step or the next one."""
        if has_first_token:
            self._limit_others()

    def give(self, sequences: Iterable[SequenceState], n_max: int) -> int:
        """Gives tokens to the sequences, in order, at most `n_max` in total. Returns their number."""
        n_given = 0
        for sequence in sequences:
            n_had = self.shares.get(sequence, 0)
            n = min(self._n_left, n_max - n_given, sequence.n_to_prefill - n_had)
            if sequence.needs_all_logits:
                n = min(n, self._n_outputs_left)
            is_last = not sequence.n_output and sequence.n_pending - n_had - n <= 1
            if n <= 0 or (self._has_first_token and not is_last):
                continue
            if sequence.needs_all_logits:
                self._n_outputs_left -= n
            self.shares[sequence] = n_had + n
            n_given += n
            self._n_left -= n
            if is_last:
                self._limit_others()
        return n_given

    def _limit_others(self) -> None:
        self._has_first_token = True
        self._n_left = min(self._n_left, max(0, self._n_beside_first_token - sum(self.shares.values())))
