"""Divides the prompt tokens of a step among the sequences whose prompts are computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    few tokens of other prompts."""

    def __init__(self) -> None:
        self._credit = float(MAX_LOWER_PRIORITY_TOKENS)
        """Number of tokens that sequences of lower priority may get before those of the highest priority."""

    def divide(
        self, ordered: Sequence[SequenceState], n_tokens: int, n_outputs: int, n_beside_first_token: int
    ) -> dict[SequenceState, int]:
        """Returns the number of prompt tokens for each sequence that gets some, at most `n_tokens` in total. `ordered`
        are the sequences with prompt tokens to compute. At most `n_outputs` tokens need logits of their own.

        After a sequence whose first token is sampled in this step or the next one, other sequences get tokens only up
        to a total of `n_beside_first_token`."""
        first = [each for each in ordered if each.priority == ordered[0].priority]
        lower = ordered[len(first) :]
        division = _Division(n_tokens, n_outputs, n_beside_first_token)
        n_needed = sum(each.n_pending for each in first)
        n_before = 0
        if lower:
            n_due = int(self._credit) - MAX_LOWER_PRIORITY_TOKENS
            n_before = division.give(lower, max(n_due, min(int(self._credit), n_needed // LOWER_PRIORITY_SHARE)))
        n_given = division.give(first, n_tokens)
        limit = (2 if lower else 1) * MAX_LOWER_PRIORITY_TOKENS
        self._credit = min(limit, self._credit - n_before + n_given / LOWER_PRIORITY_SHARE)
        division.give(lower, n_tokens)
        return division.shares


class _Division:
    def __init__(self, n_tokens: int, n_outputs: int, n_beside_first_token: int) -> None:
        self.shares: dict[SequenceState, int] = {}
        self._n_left = n_tokens
        self._n_outputs_left = n_outputs
        self._n_beside_first_token = n_beside_first_token

    def give(self, sequences: Iterable[SequenceState], n_max: int) -> int:
        """Gives tokens to the sequences, in order, at most `n_max` in total. Returns their number."""
        n_given = 0
        for sequence in sequences:
            n_had = self.shares.get(sequence, 0)
            n = min(self._n_left, n_max - n_given, sequence.n_to_prefill - n_had)
            if sequence.needs_all_logits:
                n = min(n, self._n_outputs_left)
                self._n_outputs_left -= max(n, 0)
            if n > 0:
                self.shares[sequence] = n_had + n
                n_given += n
                self._n_left -= n
                self._limit_others(sequence)
        return n_given

    def _limit_others(self, sequence: SequenceState) -> None:
        if not sequence.n_output and sequence.n_pending - self.shares[sequence] <= 1:
            self._n_left = min(self._n_left, max(0, self._n_beside_first_token - sum(self.shares.values())))
