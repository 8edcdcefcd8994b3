"""Estimate of the time that the rest of a prompt takes. Qt-free."""

from __future__ import annotations

import math

MIN_MEASURED_S = 0.5
"""The time is estimated once the prompt has been read for this long."""
AVERAGED_S = 5.0
"""The speed is an exponential mean: what was measured this long ago counts 1/e of what is measured now."""


class TimeLeft:
    """Estimates the remaining time from the progress of prefill.

    When the speed changes, for example because other requests begin or end, the estimate approaches the new value and
    never exceeds it."""

    def __init__(self) -> None:
        self._n_read = 0
        self._prefill_s = 0.0
        self._tokens = 0.0
        self._seconds = 0.0

    def add(self, n_read: int, prefill_s: float) -> None:
        """Records that `n_read` tokens, without cached ones, were read within `prefill_s` seconds in total."""
        n, seconds = n_read - self._n_read, prefill_s - self._prefill_s
        if n <= 0 or seconds <= 0:
            return
        self._n_read, self._prefill_s = n_read, prefill_s
        weight = math.exp(-seconds / AVERAGED_S)
        self._tokens = self._tokens * weight + n
        self._seconds = self._seconds * weight + seconds

    def seconds(self, n_left: int) -> float | None:
        """Estimated time in seconds for `n_left` tokens; None while it is unknown."""
        if self._prefill_s < MIN_MEASURED_S or not self._tokens:
            return None
        return n_left * self._seconds / self._tokens
