"""Decides which adapter scales the next steps use. All sequences of a step have the same, so those with other scales
wait for their turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.adapter import AdapterScales
from engine.scheduler.sequence import SequenceState

TURN_STEPS = 32
"""Number of steps after which other scales of the same priority get their turn. A turn begins with copies of KV states
from and to host memory, which take about as long as a few steps."""


class AdapterTurns:
    """The turns of one context. `current` are the scales that KV memory was computed with."""

    def __init__(self, scales: AdapterScales) -> None:
        self.current = scales
        self.is_ending = False
        """Whether others wait for the end of the current turn. No further sequences may then be admitted to it."""
        self._n_steps = 0
        self._last_turn: dict[AdapterScales, int] = {}
        self._n_turns = 0

    def next(
        self, running: Sequence[SequenceState], waiting: Sequence[SequenceState], can_pause: Callable[[], bool]
    ) -> AdapterScales:
        """Returns the scales of the next step. `can_pause` returns whether running sequences can continue after another
        turn without computing their tokens again; otherwise a turn ends early only for a higher priority."""
        others = [each for each in waiting if each.adapter_scales != self.current]
        if not others:
            self._n_steps, self.is_ending = 0, False
            return self.current
        self._n_steps += 1
        first = min(others, key=lambda each: (each.priority, self._last_turn.get(each.adapter_scales, 0), each.order))
        own = [*running, *(each for each in waiting if each.adapter_scales == self.current)]
        least = min((each.priority for each in own), default=None)
        if least is None or first.priority < least:
            return first.adapter_scales
        self.is_ending = first.priority == least and self._n_steps >= TURN_STEPS
        return first.adapter_scales if self.is_ending and (not running or can_pause()) else self.current

    def begin(self, scales: AdapterScales, others: Sequence[SequenceState]) -> None:
        """Begins the turn of `scales`. `others` are all sequences that wait."""
        self._n_turns += 1
        wanted = {each.adapter_scales for each in others}
        self._last_turn = {each: n for each, n in self._last_turn.items() if each in wanted}
        self._last_turn[self.current] = self._n_turns
        self.current, self._n_steps, self.is_ending = scales, 0, False
