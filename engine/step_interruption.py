"""Decides which requests, cancellations and closings interrupt the decode in progress."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.backend import Backend
from engine.request_state import RequestState
from engine.scheduler.prompt_shares import LOWER_PRIORITY_SHARE
from engine.scheduler.sequence import SequenceState

MIN_REMAINING_S = 0.05
"""A decode is interrupted only if it is forecast to take at least this much longer. Its computed tokens are lost."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A decode in progress that has only prompt tokens."""

    sequences: tuple[SequenceState, ...]
    requests: tuple[RequestState, ...]
    end_s: float
    """Forecast time of its end."""

    @property
    def was_interrupted(self) -> bool:
        return any(each.was_interrupted for each in self.sequences)


class StepInterruption:
    """Interrupts a decode that has only prompt tokens, if it delays a request that goes before them, or a cancellation.

    `begin` and `end` are called on the native thread, the other methods on any thread, after the action that the native
    thread is to do next was queued for it. A prompt whose decode was interrupted completes its next decode, unless the
    prompt itself is cancelled, so every prompt advances."""

    def __init__(self, backend: Backend, has_actions: Callable[[], bool], clock: Callable[[], float]) -> None:
        """`has_actions` returns whether actions are queued for the native thread, or another engine waits for it."""
        self._backend = backend
        self._has_actions = has_actions
        self._clock = clock
        self._lock = threading.Lock()
        self._step: _Step | None = None

    def begin(self, sequences: Sequence[SequenceState], requests: Sequence[RequestState], forecast_s: float) -> bool:
        """Allows interruptions of the decode that begins now and that computes prompt tokens of `sequences`. Returns
        False if the decode must not begin, because an action was queued in the meantime."""
        step = _Step(tuple(sequences), tuple(requests), self._clock() + forecast_s)
        with self._lock:
            self._backend.allow_interruption()
            self._step = step
        # An action that is queued from now on finds the step, and one that was queued before is found here.
        if step.was_interrupted or not self._has_actions():
            return True
        self.end()
        return False

    def end(self) -> None:
        """Ends the interruptions: the decode has ended."""
        with self._lock:
            self._step = None

    def submitted(self, state: RequestState) -> None:
        """Interrupts the decode if the request goes before its prompts, or if it need not compute as many tokens now
        that another request runs beside it."""
        with self._lock:
            step = self._step
            if step is None or step.was_interrupted:
                return
            if _goes_before(state, step) or any(each.recomputes for each in step.sequences):
                self._interrupt(step)

    def cancelled(self) -> None:
        """Interrupts the decode if a request whose prompt it computes is cancelled."""
        with self._lock:
            step = self._step
            if step is not None and any(each.cancelled.is_set() for each in step.requests):
                self._interrupt(step)

    def outranked(self) -> None:
        """Interrupts the decode, because a request to another model goes before its prompts."""
        with self._lock:
            step = self._step
            if step is not None and not step.was_interrupted:
                self._interrupt(step)

    def closing(self) -> None:
        """Interrupts the decode, because the session ends."""
        with self._lock:
            if self._step is not None:
                self._backend.interrupt()

    def _interrupt(self, step: _Step) -> None:
        if step.end_s - self._clock() >= MIN_REMAINING_S:
            self._backend.interrupt()


def _goes_before(state: RequestState, step: _Step) -> bool:
    """Whether the scheduler will probably compute the request's prompt before those of the step. It decides by the
    number of tokens that are not cached, which is not known here."""
    n_prompt = len(state.prompt)
    for sequence in step.sequences:
        n_pending = sequence.n_pending
        if state.request.priority > sequence.priority:
            n_pending //= LOWER_PRIORITY_SHARE
        if state.request.priority >= sequence.priority and n_prompt >= n_pending:
            return False
    return True
