"""Estimates whether a model fits into this machine's memory, with which context length, and how fast it will be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engine.backend import LoadSettings
from engine.devices.card import Card
from engine.devices.offload import Offload
from engine.devices.offload_plan import OffloadPlanner, usable_devices
from engine.devices.placed_reads import placed_reads, tokens_per_s
from engine.library.adapter_file import ADAPTERS
from engine.library.assumed_header import assumed_header
from engine.library.gguf_header import GgufHeader
from engine.library.memory_estimate import (
    MARGIN_BYTES,
    MIN_CTX,
    N_CTX_DEFAULT,
    N_OUTPUTS,
    N_SLOTS,
    OVERHEAD_BYTES,
    context_shape,
    counted_draft,
    estimate_memory,
)
from engine.library.model_metadata import ModelMetadata
from engine.library.mtp_layers import loaded_part, uses_mtp, without_mtp
from engine.status import MemoryEstimate

Verdict = Literal["fits", "slow", "tight", "too_big"]
"""`slow`: the model fits, but generates fewer than SLOW_TOKENS_PER_S."""
FitReason = Literal["", "slow", "little_left", "short_context", "context", "weights"]
"""The reason for a verdict; empty for the verdict `fits`, `slow` for the verdict `slow`.

For the verdict `tight`: `little_left` (little memory is left for other programs) or `short_context` (only a shorter
context fits). For the verdict `too_big`: `context` (the context length that the user has set does not fit) or `weights`
(the weights do not fit)."""

LEFT_SHARE = 0.08
"""The share of all memory that should remain free. With less, the machine starts to swap as soon as a browser is
opened."""

SLOW_TOKENS_PER_S = 3.0
"""Three tokens are about two words, and people read about four words per second."""

TYPICAL_TOKENS = 1024
"""The number of tokens in the context for which the speed is estimated."""

CELL_BYTES_BILLION = 40_000
"""The assumed KV bytes per token of a model with a billion parameters, used for models whose header is not known.

For other sizes, the value is scaled by the square root of the number of parameters."""


@dataclass(frozen=True, slots=True)
class MemoryFit:
    """How a model fits into memory.

    `n_ctx`: the context length that would be used. `n_ctx_best`: the longest context length that fits, 0 if none does.
    `tokens_per_s`: 0 if the speed of the processor, or of a card that takes part, was not measured. `is_approximate`:
    the model's header was not read, so that the number of its layers on a card is not known either."""

    verdict: Verdict
    reason: FitReason
    estimate: MemoryEstimate
    n_ctx: int
    n_ctx_best: int
    tokens_per_s: float = 0.0
    least_tokens_per_s: float = 0.0
    """The speed if cards of unknown speed were only as fast as the processor."""
    is_approximate: bool = False
    is_slow: bool = False
    """Whether it generates fewer than SLOW_TOKENS_PER_S, also if cards of unknown speed took no time."""

    @property
    def needed(self) -> int:
        """Bytes of the machine's memory."""
        return self.estimate.needed

    @property
    def offload(self) -> Offload:
        return self.estimate.offload


def estimate_fit(
    metadata: ModelMetadata,
    settings: LoadSettings,
    free: int,
    total: int,
    bytes_per_s: float,
    cards: Sequence[Card] = (),
    *,
    draft: ModelMetadata | None = None,
    adapter_bytes: int = 0,
) -> MemoryFit:
    """Estimates the fit of a model on disk. `free` is the memory that would be free without the currently loaded model,
    and so is the free memory of the cards. Sizes are in bytes. `draft` is the draft model, and `adapter_bytes` the size
    of the LoRA adapters that are loaded with the model."""
    header = metadata.header
    if adapter_bytes:
        header = replace(header, tensor_bytes={**header.tensor_bytes, ADAPTERS: adapter_bytes})
    draft_header = counted_draft(header, settings, draft.header if draft is not None else None)
    devices = usable_devices([card.device for card in cards], settings)
    planner = OffloadPlanner(loaded_part(header, settings), settings, devices)

    def estimate_for(n_ctx: int) -> MemoryEstimate:
        return replace(
            estimate_memory(header, settings, n_ctx, **context_shape(header), planner=planner, draft=draft_header),
            available=free,
        )

    judged = _judge(estimate_for, settings.n_ctx, metadata.n_ctx_train, total)
    if judged.reason in ("weights", "context", "short_context") and uses_mtp(header, settings):
        header = without_mtp(header)  # it is then loaded without them
        judged = _judge(estimate_for, settings.n_ctx, metadata.n_ctx_train, total)
    return _with_speed(judged, header, settings, cards, bytes_per_s)


def estimate_fit_from_size(
    size_bytes: int,
    n_params: int,
    n_ctx_train: int,
    free: int,
    total: int,
    bytes_per_s: float,
    n_active: int = 0,
    cards: Sequence[Card] = (),
) -> MemoryFit:
    """Estimates the fit of a model on the hub, whose header is not known. `n_active`: parameters used for each token, 0
    for all."""
    n_params = n_params or round(size_bytes / 0.6)
    cell_size = CELL_BYTES_BILLION * math.sqrt(n_params / 1e9)
    header = assumed_header(size_bytes, cell_size, n_active / n_params if n_active else 1.0)
    settings = LoadSettings()
    devices = usable_devices([card.device for card in cards], settings)
    planner = OffloadPlanner(header, settings, devices)

    def estimate_for(n_ctx: int) -> MemoryEstimate:
        compute = 2 * N_OUTPUTS * 128_000 * 4 + n_ctx * 512
        offload = planner.plan(n_ctx, N_SLOTS, compute)
        return MemoryEstimate(size_bytes, round(n_ctx * cell_size), compute, free, OVERHEAD_BYTES + (40 << 20), offload)

    judged = replace(_judge(estimate_for, 0, n_ctx_train, total), is_approximate=True)
    return _with_speed(judged, header, settings, cards, bytes_per_s)


def _with_speed(
    fit: MemoryFit, header: GgufHeader, settings: LoadSettings, cards: Sequence[Card], bytes_per_s: float
) -> MemoryFit:
    """Adds the speed: the time for a token is what each card and the processor read, divided by their speeds."""
    reads = placed_reads(header, settings, fit.offload, TYPICAL_TOKENS)
    known = [replace(card, bytes_per_s=card.bytes_per_s or bytes_per_s) for card in cards]
    fit = replace(
        fit,
        tokens_per_s=tokens_per_s(reads, fit.offload, cards, bytes_per_s),
        least_tokens_per_s=tokens_per_s(reads, fit.offload, known, bytes_per_s),
    )
    on_processor = reads.on_processor / bytes_per_s if bytes_per_s else 0.0
    seconds = 1 / fit.tokens_per_s if fit.tokens_per_s else on_processor
    if fit.verdict != "too_big" and seconds * SLOW_TOKENS_PER_S > 1:
        fit = replace(fit, is_slow=True)
    return replace(fit, verdict="slow", reason="slow") if fit.verdict == "fits" and fit.is_slow else fit


def _judge(estimate_for: Callable[[int], MemoryEstimate], n_ctx_asked: int, n_ctx_train: int, total: int) -> MemoryFit:
    wanted = n_ctx_asked or min(n_ctx_train or N_CTX_DEFAULT, N_CTX_DEFAULT)
    best = _best_context(estimate_for, max(n_ctx_train or N_CTX_DEFAULT, wanted))
    least = estimate_for(min(wanted, MIN_CTX))
    if least.headroom < MARGIN_BYTES:
        return MemoryFit("too_big", "weights", least, min(wanted, MIN_CTX), 0)
    estimate = estimate_for(wanted)
    if estimate.headroom >= MARGIN_BYTES:
        enough = estimate.headroom >= max(MARGIN_BYTES, LEFT_SHARE * total)
        return MemoryFit("fits" if enough else "tight", "" if enough else "little_left", estimate, wanted, best)
    if n_ctx_asked:
        return MemoryFit("too_big", "context", estimate, wanted, best)
    shorter = wanted
    while shorter > MIN_CTX and estimate_for(shorter).headroom < MARGIN_BYTES:
        shorter = max(MIN_CTX, shorter // 2)  # `choose_context_length` tries the same lengths
    return MemoryFit("tight", "short_context", estimate_for(shorter), shorter, best)


def _best_context(estimate_for: Callable[[int], MemoryEstimate], largest: int) -> int:
    """Returns the longest context length that fits; 0 if none fits. Tries MIN_CTX, then twice the previous length each
    time, and finally `largest`."""
    best, n_ctx = 0, MIN_CTX
    while n_ctx < largest:
        if estimate_for(n_ctx).headroom < MARGIN_BYTES:
            return best
        best, n_ctx = n_ctx, n_ctx * 2
    return largest if estimate_for(largest).headroom >= MARGIN_BYTES else best
