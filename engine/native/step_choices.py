"""What a model's decodes depend on, besides its size: whether the processor or graphics cards compute them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.backend import FlashAttention, LoadSettings
from engine.devices.offload import Offload
from engine.library.memory_estimate import N_BATCH, N_BATCH_CARD
from engine.scheduler.thread_tuner import thread_counts

PROMPT_CUT = 128
"""See `Limits.prompt_cut`. A decode of several times 128 tokens gives the same bits as decodes of 128, and is faster:
2,034 tokens take 7.41 s in decodes of 512 tokens, 7.47 s with 256 and 7.75 s with 128 (SmolLM2-135M, AMD EPYC, 2
threads). After the last multiple of 128 it would not: attention rounds otherwise in decodes of fewer than 64 tokens."""


@dataclass(frozen=True, slots=True)
class StepChoices:
    """Values of `engine.backend.Limits`."""

    n_batch: int
    prompt_cut: int
    thread_counts: tuple[int, ...]
    is_interruptible: bool
    """Whether a decode in progress can be ended. llama.cpp asks only between operations on the processor, so with all
    layers on cards it would never ask in time."""
    flash_attention: FlashAttention
    """`LoadSettings.flash_attention`, but never `auto` if the layers are divided between the processor and cards. Then
    llama.cpp turns flash attention off, because the cards compute long prompts also of the processor's layers. That
    takes 81 MiB more of a card (SmolLM2-135M, 8,192 tokens), and fails with a quantized V cache."""


def step_choices(offload: Offload, settings: LoadSettings) -> StepChoices:
    """The choices for a model with these layers on cards.

    As long as the processor computes a layer, it determines the speed, so the choices are those for the processor. With
    the whole model on cards, one thread is enough for the little that is left, and none is tried in vain."""
    if offload.is_whole:
        return StepChoices(N_BATCH_CARD, N_BATCH_CARD, (1,), False, settings.flash_attention)
    is_divided = 0 < offload.n_layers < offload.n_all
    flash_attention = "on" if is_divided and settings.flash_attention == "auto" else settings.flash_attention
    return StepChoices(N_BATCH, PROMPT_CUT, thread_counts(settings.n_threads), True, flash_attention)
