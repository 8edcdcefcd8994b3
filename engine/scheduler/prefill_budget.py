"""How many prompt tokens the next step may read, so that a person who watches an answer never sees it stand still.

While the window answers, a step may take `BUDGET_S`, and between two steps that read, the window gets steps of its
own. Otherwise prompts are read in full batches. Pure: it is told the seconds.
"""

from __future__ import annotations

BUDGET_S = 0.17
"""For one step while the window answers. Below the 200 ms that a reader notices, since a step is only forecast."""

WINDOW_SHARE = 0.25
"""Of the time while a prompt is read beside it, the window writes alone for so much."""

READING_S, MIN_READING = 0.8, 64
"""For one step while somebody at the window waits for a first word: a cancel, and a question that came after it began,
wait for its end. Where a token takes long, at least so many are read: every step reads all weights."""

MIN_CHUNK = 8
"""Fewer tokens than this make a step no shorter worth having."""

_NEW = 0.3
"""Weight of the newest measurement."""


class PrefillBudget:
    """Learns what a prompt token and a step cost, and rations prompts by it."""

    def __init__(self, n_batch: int, token_s: float = 0.005) -> None:
        self._n_batch = n_batch
        self._token_s = token_s
        self._step_s = 0.0
        """A step that only writes."""
        self._owed_s = 0.0
        """Time that the window has yet to get for what was read beside it."""

    def allowance(self, window_is_decoding: bool, *, window_awaits_first_token: bool = False) -> int:
        """Prompt tokens for the next step; 0 makes it the window's own. `window_awaits_first_token`: for a first
        word."""
        if not window_is_decoding:
            self._owed_s = 0.0
            return self._reading_size() if window_awaits_first_token else self._n_batch
        if self._owed_s > 0.0:
            return 0
        fitting = (BUDGET_S - self._step_s) / self._token_s
        return max(MIN_CHUNK, min(self._n_batch, int(fitting)))

    def _reading_size(self) -> int:
        """In whole multiples, so that it does not change with every measurement."""
        fitting = int(READING_S / self._token_s) // MIN_READING * MIN_READING
        return min(self._n_batch, max(MIN_READING, fitting))

    @property
    def rested(self) -> bool:
        """Whether the window has had its share for what was done beside it."""
        return self._owed_s <= 0.0

    def charge(self, seconds: float) -> None:
        """Something else than a step kept the window waiting for so long."""
        self._owed_s = seconds * WINDOW_SHARE / (1.0 - WINDOW_SHARE)

    def record(self, n_prompt_tokens: int, seconds: float, window_is_decoding: bool) -> None:
        """What a step took."""
        if n_prompt_tokens == 0:
            self._step_s = seconds if not self._step_s else self._step_s + _NEW * (seconds - self._step_s)
            self._owed_s -= seconds
            return
        if window_is_decoding:
            self._owed_s = seconds * WINDOW_SHARE / (1.0 - WINDOW_SHARE)
        token_s = max(seconds - self._step_s, 0.2 * seconds) / n_prompt_tokens
        # A few tokens more or less say little; a step that took too long is believed at once.
        weight = 1.0 if token_s > self._token_s else _NEW * min(1.0, n_prompt_tokens / MIN_CHUNK)
        self._token_s += weight * (token_s - self._token_s)
