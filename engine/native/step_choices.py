"""What a model's decodes depend on, besides its size: whether the processor or graphics cards compute them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.devices.offload import Offload
from engine.library.memory_estimate import N_BATCH, N_BATCH_CARD
from engine.scheduler.thread_tuner import thread_counts

PROMPT_CUT = 128
"""See `Limits.prompt_cut`. 2,000 tokens take 8.6 s with cuts of 512, 256 and 128 tokens, and 8.9 s with 64
(SmolLM2-135M, AMD EPYC, 2 threads)."""


@dataclass(frozen=True, slots=True)
class StepChoices:
    """Values of `engine.backend.Limits`."""

    n_batch: int
    prompt_cut: int
    thread_counts: tuple[int, ...]
    is_interruptible: bool
    """Whether a decode in progress can be ended. llama.cpp asks only between operations on the processor, so with all
    layers on cards it would never ask in time."""


def step_choices(offload: Offload, n_threads: int) -> StepChoices:
    """The choices for a model with these layers on cards. `n_threads` is that of the settings.

    As long as the processor computes a layer, it determines the speed, so the choices are those for the processor. With
    the whole model on cards, one thread is enough for the little that is left, and none is tried in vain."""
    if offload.is_whole:
        return StepChoices(N_BATCH_CARD, N_BATCH_CARD, (1,), is_interruptible=False)
    return StepChoices(N_BATCH, PROMPT_CUT, thread_counts(n_threads), is_interruptible=True)
