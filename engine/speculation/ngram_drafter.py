"""Proposes the next tokens of one request from its own prompt and answer, without a second model."""

from __future__ import annotations

from collections.abc import Callable

from engine.speculation.draft_length import DraftLength, assumed_cost
from engine.speculation.ngram_index import Match, NgramIndex, continuation


class NgramDrafter:
    """Proposes drafts for one request: what followed the last occurrence of the request's last tokens.

    A text that copies from the prompt, or repeats itself, is generated several tokens at a time. Unless `propose` gets
    a cost, the proposals depend only on the tokens, so that a greedy or seeded request takes the same steps every
    time."""

    def __init__(self, n_max: int, eog_tokens: frozenset[int]) -> None:
        """`n_max`: the greatest number of tokens in a draft. A draft ends with the first end-of-generation token."""
        self._n_max = n_max
        self._eog_tokens = eog_tokens
        self._index = NgramIndex()
        self._length = DraftLength()
        self._match: Match | None = None
        self._n_tokens = 0
        """Number of tokens at the last proposal."""
        self._predicted: int | None = None
        """The token that the last proposal predicts, if no draft of it was verified."""
        self._cost: Callable[[int], float] = self._assumed_cost

    def propose(self, tokens: list[int], cost: Callable[[int], float] | None = None) -> list[int]:
        """Returns a draft of the tokens that follow `tokens`, which are those of the last call and all sampled since.
        It is empty if there is no match, if verifying it is not expected to save time, or while the index of a long
        prompt is built. `cost` is the cost of a number
        of draft tokens, in steps without drafts; with None, it is assumed."""
        self._cost = cost or self._assumed_cost
        self._length.step_started()
        expected = self._learn(tokens)
        is_complete = self._index.update(tokens)
        self._n_tokens = len(tokens)
        self._match = match = self._index.find(tokens, expected) if is_complete else None
        if match is None:
            self._predicted = None
            return []
        self._predicted = tokens[match.at]
        n = self._length.choose(match.strength, self._n_max, self._cost)
        return self._until_end(continuation(tokens, match.at, n)) if n else []

    def record(self, n_drafted: int, n_accepted: int, *, is_rejected: bool) -> None:
        """Records that the first `n_drafted` tokens of the last proposal were verified. `is_rejected`: the token after
        the accepted ones differs from the draft."""
        if self._match is not None:
            self._predicted = None
            spent = self._cost(n_drafted)
            self._length.record_draft(self._match.strength, n_accepted, spent, is_rejected=is_rejected)

    def truncate(self, tokens: list[int], n: int) -> None:
        """Call this before the tokens from index `n` on are replaced in `tokens`."""
        self._index.truncate(tokens, n)
        self._n_tokens = min(self._n_tokens, n)

    def _learn(self, tokens: list[int]) -> int:
        """Compares the last proposal with what followed. Returns the index at which the matched text goes on, or -1 if
        there was no match."""
        if self._match is None:
            return -1
        if self._predicted is not None and len(tokens) > self._n_tokens:
            is_right = tokens[self._n_tokens] == self._predicted
            self._length.observe(self._match.strength, int(is_right), int(not is_right))
        return self._match.at + len(tokens) - self._n_tokens

    def _assumed_cost(self, n_drafted: int) -> float:
        return assumed_cost(n_drafted, self._n_tokens)

    def _until_end(self, draft: list[int]) -> list[int]:
        for n, token in enumerate(draft, 1):
            if token in self._eog_tokens:
                return draft[:n]
        return draft
