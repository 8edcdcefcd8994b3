"""Limits the prompt tokens of each decode step, so that an answer in the app's window does not stall while prompts are
computed.

While such an answer is generated, a step with prompt tokens is forecast to take at most `STEP_BUDGET_S`. The steps
after it contain no prompt tokens, until they have had the share `WINDOW_SHARE` of the time. Otherwise prompts are
computed in full batches. This module uses no clock: its callers pass all durations.
"""

from __future__ import annotations

STEP_BUDGET_S = 0.17
"""Maximum forecast duration of a step while an answer in the app's window is generated. It is below the 200 ms that a
user notices, because a forecast can be too short."""

WINDOW_SHARE = 0.25
"""While an answer in the app's window is generated and a prompt is computed, steps without prompt tokens get this share
of the time."""

FIRST_TOKEN_STEP_S, MIN_FIRST_TOKEN_STEP = 0.8, 64
"""Limits for one step while the user waits for the first token of an answer. The step has a maximum duration in
seconds, because cancelling and new requests wait for its end. It has a minimum number of tokens, because every step
reads all weights."""

MIN_CHUNK = 8
"""Minimum number of prompt tokens in a step. Fewer tokens do not make the step noticeably shorter."""

_NEWEST_WEIGHT = 0.3


class PrefillBudget:
    """Learns how long a prompt token and a step take, and limits the prompt tokens of the next step accordingly."""

    def __init__(self, n_batch: int, token_s: float = 0.005) -> None:
        self._n_batch = n_batch
        self._token_s = token_s
        self._decode_step_s = 0.0
        """Duration of a step without prompt tokens."""
        self._owed_s = 0.0
        """Total time that steps without prompt tokens must still take before a step may have prompt tokens again."""

    def tokens(self, *, window_is_decoding: bool, window_awaits_first_token: bool = False) -> int:
        """Maximum number of prompt tokens in the next step. With 0, the step only decodes."""
        if not window_is_decoding:
            self._owed_s = 0.0
            return self._first_token_step() if window_awaits_first_token else self._n_batch
        if self._owed_s > 0.0:
            return 0
        n_fitting = (STEP_BUDGET_S - self._decode_step_s) / self._token_s
        return max(MIN_CHUNK, min(self._n_batch, int(n_fitting)))

    def _first_token_step(self) -> int:
        """Number of prompt tokens in a step while the first token is awaited. It is a multiple of MIN_FIRST_TOKEN_STEP,
        so that it does not change with every measurement."""
        n_fitting = int(FIRST_TOKEN_STEP_S / self._token_s) // MIN_FIRST_TOKEN_STEP * MIN_FIRST_TOKEN_STEP
        return min(self._n_batch, max(MIN_FIRST_TOKEN_STEP, n_fitting))

    @property
    def is_balanced(self) -> bool:
        """Whether embeddings and similar work may delay the answer in the app's window again: since the last such work,
        steps without prompt tokens have had the share `WINDOW_SHARE` of the time."""
        return self._owed_s <= 0.0

    def charge(self, seconds: float) -> None:
        """Accounts for work outside of decode steps, such as embeddings, that delayed an answer in the app's window."""
        self._owed_s = seconds * WINDOW_SHARE / (1.0 - WINDOW_SHARE)

    def record(self, n_prompt_tokens: int, seconds: float, *, window_is_decoding: bool) -> None:
        """Records the duration of a step."""
        if n_prompt_tokens == 0:
            known = self._decode_step_s
            self._decode_step_s = known + _NEWEST_WEIGHT * (seconds - known) if known else seconds
            self._owed_s -= seconds
            return
        if window_is_decoding:
            self.charge(seconds)
        token_s = max(seconds - self._decode_step_s, 0.2 * seconds) / n_prompt_tokens
        # A slower measurement replaces the estimate immediately; a faster one with few tokens changes it only little.
        is_slower = token_s > self._token_s
        weight = 1.0 if is_slower else _NEWEST_WEIGHT * min(1.0, n_prompt_tokens / MIN_CHUNK)
        self._token_s += weight * (token_s - self._token_s)
