"""Chooses the number of threads of each step of a session, and learns from the durations of the steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from engine.scheduler.sequence import BatchPlan, SequenceState
from engine.scheduler.thread_tuner import ThreadCountPolicy

N_UNDIVIDED_CELLS = 256
"""If a decode has a single token, and attention covers more cells than this, llama.cpp divides the cells among the
threads. Then rounding depends on the number of threads; in all other decodes it does not."""


class StepThreads:
    """Call `choose` before each step, and `record` after it if it was decoded. Used only on the native thread, the one
    that decodes."""

    def __init__(self, thread_counts: tuple[int, ...], is_delayed: Callable[[], bool]) -> None:
        """`is_delayed` returns whether other work of this process may delay a step that begins now, and will end
        soon."""
        self._policy = ThreadCountPolicy(thread_counts)
        self._is_delayed = is_delayed
        self._reproducible: SequenceState | None = None
        """The last sequence with a thread-sensitive step."""
        self._record: Callable[[float], None] | None = None

    def choose(self, plan: BatchPlan, n_running: int) -> int:
        """Returns the thread count for the decode of a plan, while `n_running` sequences run."""
        if n_running == 1 and _is_thread_sensitive(plan):
            self._start_reproducible(plan.entries[0].sequence)
            # The first answer to a prompt, whose snapshot is written meanwhile, must equal the later ones.
            self._record = None if self._is_delayed() else self._policy.record_reproducible
            return self._policy.choose_reproducible()
        if plan.n_prompt_tokens and any(entry.is_decoding for entry in plan.entries):
            self._record = None
            return self._policy.n_threads_beside_answers
        self._record = partial(self._policy.record, plan.n_tokens)
        return self._policy.choose(plan.n_tokens)

    def record(self, seconds: float) -> None:
        """Records the duration of the step for which `choose` was called last."""
        if self._record is not None:
            self._record(seconds)

    def _start_reproducible(self, sequence: SequenceState) -> None:
        if self._reproducible is not sequence:
            self._reproducible = sequence
            self._policy.start_reproducible()


def _is_thread_sensitive(plan: BatchPlan) -> bool:
    """Whether the answer of a deterministic request that runs alone depends on the thread count of this step."""
    sequence = plan.entries[0].sequence
    return sequence.is_deterministic and plan.n_tokens == 1 and sequence.n_computed >= N_UNDIVIDED_CELLS
