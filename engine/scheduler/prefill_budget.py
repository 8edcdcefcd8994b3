"""Limits the prompt tokens of each decode step, so that running answers and short prompts do not wait long while other
prompts are computed.

How long a step may take depends on who waits for its end (see `Pace`). This module uses no clock: its callers pass all
durations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST_TOKEN_STEP_S, MIN_FIRST_TOKEN_STEP = 0.8, 64
"""Limits for one step while the user waits for the first token of an answer. The step has a maximum duration in
seconds, because cancelling and new requests wait for its end. It has a minimum number of tokens, because every step
reads all weights."""

MIN_CHUNK = 8
"""Minimum number of prompt tokens in a step. Fewer tokens do not make the step noticeably shorter."""

WIDE, NARROW_RATIO = 64, 1.5
"""llama.cpp's attention on the CPU takes longer per token in a step of fewer than WIDE tokens: with 2,048 tokens in KV
memory 9.1 ms instead of 5.8 ms, with 512 tokens 4.7 ms instead of 3.9 ms (SmolLM2-135M). A step after a wide one is
assumed to take NARROW_RATIO times as long per token."""

NEARLY_WIDE = 48
"""From this number of tokens on, a step with WIDE tokens is computed instead: it takes hardly longer."""

BESIDE_FIRST_TOKEN_S = 0.1
"""Maximum forecast duration of a step that completes several short prompts, so that the first of them is answered
early. A single prompt may take longer."""

_NEWEST_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits of steps with prompt tokens."""

    step_s: float
    """Maximum forecast duration of a step with prompt tokens."""
    decode_share: float = 0.0
    """The share of the time that steps without prompt tokens get, so that answers are generated faster."""


LONE: Final = Pace(float("inf"))
"""One prompt is computed, and no answer is generated."""

AWAITED: Final = Pace(FIRST_TOKEN_STEP_S)
"""One prompt of the app's window is computed, and no answer is generated."""

SHARED: Final = Pace(0.25)
"""Several prompts are computed, or the prompt of the app's window beside answers of the endpoint."""

ENDPOINT_ANSWER: Final = Pace(0.25, 0.15)
"""An answer of the endpoint is generated. A prompt that is computed meanwhile takes 1 / 0.85 times as long, and the
answer gets several tokens per step with prompt tokens instead of one."""

WINDOW_ANSWER: Final = Pace(0.17, 0.25)
"""An answer in the app's window is generated. The duration is below the 200 ms that a user notices, because a forecast
can be too short."""


class PrefillBudget:
    """Learns how long a prompt token and a step take, and limits the prompt tokens of the next step accordingly."""

    def __init__(self, n_batch: int, token_s: float = 0.005) -> None:
        self._n_batch = n_batch
        self._token_s = token_s
        self._was_wide = True
        """Whether the last step with prompt tokens had at least WIDE of them."""
        self._decode_step_s = 0.0
        """Duration of a step without prompt tokens."""
        self._owed_s = 0.0
        """Total time that steps without prompt tokens must still take before a step may have prompt tokens again."""

    def tokens(self, pace: Pace) -> int:
        """Maximum number of prompt tokens in the next step. With 0, the step only decodes."""
        if not pace.decode_share:
            self._owed_s = 0.0
        if self._owed_s > 0.0:
            return 0
        if pace is LONE:
            return self._n_batch
        if pace is AWAITED:
            return self._first_token_step()
        return max(MIN_CHUNK, min(self._n_batch, self._n_fitting(pace.step_s - self._decode_step_s)))

    def _n_fitting(self, seconds: float) -> int:
        """Number of prompt tokens that are forecast to take `seconds`."""
        n = int(seconds / self._token_s)
        if self._was_wide and n < WIDE:
            n = int(seconds / (NARROW_RATIO * self._token_s))
        return WIDE if NEARLY_WIDE <= n < WIDE else n

    @property
    def token_s(self) -> float:
        """Forecast duration of a prompt token."""
        return self._token_s

    @property
    def n_beside_first_token(self) -> int:
        """Maximum number of prompt tokens in a step that completes several prompts."""
        return max(MIN_CHUNK, min(self._n_batch, self._n_fitting(BESIDE_FIRST_TOKEN_S)))

    def forecast_s(self, n_prompt_tokens: int) -> float:
        """Forecast duration of a step with only prompt tokens."""
        return n_prompt_tokens * self._token_s

    def _first_token_step(self) -> int:
        """Number of prompt tokens in a step while the first token is awaited. It is a multiple of MIN_FIRST_TOKEN_STEP,
        so that it does not change with every measurement."""
        n_fitting = int(FIRST_TOKEN_STEP_S / self._token_s) // MIN_FIRST_TOKEN_STEP * MIN_FIRST_TOKEN_STEP
        return min(self._n_batch, max(MIN_FIRST_TOKEN_STEP, n_fitting))

    @property
    def is_balanced(self) -> bool:
        """Whether embeddings and similar work may delay running answers again: since the last such work, steps without
        prompt tokens have had their share of the time."""
        return self._owed_s <= 0.0

    def charge(self, seconds: float, pace: Pace) -> None:
        """Accounts for work that delayed running answers, such as embeddings or prompts."""
        self._owed_s = max(0.0, self._owed_s) + seconds * pace.decode_share / (1.0 - pace.decode_share)

    def record(self, n_prompt_tokens: int, seconds: float, pace: Pace, *, beside_answers: bool = True) -> None:
        """Records the duration of a step. `beside_answers`: whether a step with prompt tokens contains other tokens
        too, whose time is that of a step without prompt tokens."""
        if n_prompt_tokens == 0:
            known = self._decode_step_s
            self._decode_step_s = known + _NEWEST_WEIGHT * (seconds - known) if known else seconds
            self._owed_s -= seconds
            return
        self.charge(seconds, pace)
        is_wide = n_prompt_tokens >= WIDE
        if is_wide != self._was_wide:
            self._token_s *= 1 / NARROW_RATIO if is_wide else NARROW_RATIO
            self._was_wide = is_wide
        others_s = self._decode_step_s if beside_answers else 0.0
        token_s = max(seconds - others_s, 0.2 * seconds) / n_prompt_tokens
        # A slower measurement replaces the estimate immediately; a faster one with few tokens changes it only little.
        is_slower = token_s > self._token_s
        weight = 1.0 if is_slower else _NEWEST_WEIGHT * min(1.0, n_prompt_tokens / MIN_CHUNK)
        self._token_s += weight * (token_s - self._token_s)
