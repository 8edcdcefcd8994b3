"""Lets answers of the endpoint pause while short prompts are completed one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.priority import Priority
from engine.scheduler.sequence import SequenceState


class PromptBurst:
    """Divides the prompt tokens that one step may have among several steps if these complete short prompts. Their first
    tokens are then sampled sooner on average than with all prompts in one step.

    Running answers wait as long as they would for the one step, because they are decoded in the first and in the last
    of the steps only. Answers in the app's window never pause."""

    def __init__(self) -> None:
        self._n_left = 0
        self._pauses = False

    @property
    def n_left(self) -> int:
        """Number of prompt tokens that may be computed before answers must be decoded."""
        return self._n_left

    def begin_step(self, running: Sequence[SequenceState], n_prompt_tokens: int) -> int:
        """Call this before each step. `n_prompt_tokens` is the number of prompt tokens that a step may have. Returns
        how many the step may have as part of the burst."""
        was_paused = self._pauses
        self._pauses = self._can_pause(running)
        if self._pauses:
            return self._n_left
        self._n_left = min(n_prompt_tokens, self._n_left) if was_paused else n_prompt_tokens
        return self._n_left

    def pauses(self, sequence: SequenceState) -> bool:
        """Whether the next token of a sequence that is decoding is not computed in this step."""
        return self._pauses and sequence.n_output > 0

    def end(self) -> None:
        """No sequence pauses in this step."""
        self._pauses, self._n_left = False, 0

    def computed(self, n_prompt_tokens: int) -> None:
        """Records the number of prompt tokens that the step contains."""
        self._n_left = max(0, self._n_left - n_prompt_tokens)

    def _can_pause(self, running: Sequence[SequenceState]) -> bool:
        answers = [each for each in running if each.n_output]
        if not answers or any(each.priority == Priority.WINDOW for each in answers):
            return False
        first = _next_prompt(running)
        return first is not None and first.n_pending <= self._n_left and first.n_to_prefill >= first.n_pending - 1


def _next_prompt(running: Iterable[SequenceState]) -> SequenceState | None:
    prompts = (each for each in running if not each.n_output and not each.is_decoding)
    return min(prompts, key=lambda each: each.prefill_order, default=None)
