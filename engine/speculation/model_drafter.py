"""Decides for one request when a second, smaller model, or the model's MTP layers, draft its next tokens."""

from __future__ import annotations

from collections.abc import Callable

from engine.events import DraftKind
from engine.speculation.draft_length import STRENGTHS, DraftLength, assumed_cost


class ModelDrafter:
    """Decides how many tokens a draft model proposes for one request, by the share of them that was accepted so far.
    Used when the request's own text predicts nothing."""

    def __init__(self, kind: DraftKind, n_max: int, token_cost: float) -> None:
        """`n_max`: the greatest number of tokens in a draft. `token_cost`: the assumed time that the draft model needs
        for one token, in steps of the main model."""
        self.kind = kind
        self._n_max = n_max
        self._token_cost = token_cost
        self._length = DraftLength()
        self._verification: Callable[[int], float] = lambda n: assumed_cost(n, 0)

    def choose(
        self,
        n_tokens: int,
        verification: Callable[[int], float] | None = None,
        token_cost: float | None = None,
    ) -> int:
        """Returns the number of tokens to draft; 0 if no draft is expected to save time. `verification` is the cost of
        verifying a number of tokens, in steps without drafts; with None, it is assumed for a context of `n_tokens`.
        `token_cost` is the measured time of the draft model for one token, in the same unit."""
        if token_cost is not None:
            self._token_cost = token_cost
        self._verification = verification or (lambda n: assumed_cost(n, n_tokens))
        self._length.step_started()
        return self._length.choose(STRENGTHS[-1], self._n_max, self._cost)

    def record(self, n_drafted: int, n_accepted: int, *, is_rejected: bool) -> None:
        """Records that a draft was verified."""
        self._length.record_draft(STRENGTHS[-1], n_accepted, self._cost(n_drafted), is_rejected=is_rejected)

    def _cost(self, n_drafted: int) -> float:
        return self._verification(n_drafted) + self._token_cost * n_drafted
