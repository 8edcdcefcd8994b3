"""What a model costs on this machine, whether it fits, how fast it will be. All of it foreseen, none of it exact."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from engine.backend import LoadSettings
from engine.events import MemoryEstimate
from engine.library.context_shape import N_OUTPUTS, shape
from engine.library.kv_size import cell_bytes
from engine.library.memory_estimate import MARGIN_BYTES, MIN_CTX, N_CTX_DEFAULT, OWN_BYTES, account
from engine.library.model_metadata import ModelMetadata

Verdict = Literal["fits", "tight", "too_big"]
Why = Literal["", "little_left", "short_context", "context", "weights"]
"""fits: "". tight: `little_left` of the memory for others, or a `short_context` alone fits. too_big: the `context` that
was asked for by number does not fit, or the `weights` do not."""

LEFT_SHARE = 0.08
"""Of all memory. Where less is left, the machine begins to swap as soon as a browser is opened."""

TYPICAL_TOKENS = 1024
"""How much of its context a chat has filled, for the speed."""

CELL_BYTES_BILLION = 40_000
"""For a token of context, where a model of a billion parameters has not said it yet; with the square root of that."""


@dataclass(frozen=True, slots=True)
class MemoryFit:
    """`n_ctx` is the context that would be opened, `n_ctx_best` the longest that fits (0 where none does).
    `tokens_per_s` is 0 where the machine was not measured. `is_rough`: the file was not seen yet."""

    verdict: Verdict
    why: Why
    account: MemoryEstimate
    n_ctx: int
    n_ctx_best: int
    tokens_per_s: float = 0.0
    is_rough: bool = False

    @property
    def needed(self) -> int:
        return self.account.needed


def estimate_fit(
    metadata: ModelMetadata, settings: LoadSettings, free: int, total: int, bytes_per_s: float
) -> MemoryFit:
    """For a file that says all of itself. `free` is what would be free without the model in memory now."""
    header = metadata.header

    def weigh(n_ctx: int) -> MemoryEstimate:
        return replace(account(header, settings, n_ctx, **shape(header)), available=free)

    read = metadata.read_bytes + TYPICAL_TOKENS * cell_bytes(header, settings.kv_type_k, settings.kv_type_v)
    judged = _judge(weigh, settings.n_ctx, metadata.n_ctx_train, total)
    return replace(judged, tokens_per_s=bytes_per_s / read if read else 0.0)


def estimate_fit_from_size(
    size_bytes: int, n_params: int, n_ctx_train: int, free: int, total: int, bytes_per_s: float, n_active: int = 0
) -> MemoryFit:
    """For a file that lies elsewhere, of which only the size is known. `n_active` parameters compute a token."""
    n_params = n_params or round(size_bytes / 0.6)
    cell = CELL_BYTES_BILLION * math.sqrt(n_params / 1e9)

    def weigh(n_ctx: int) -> MemoryEstimate:
        rows = 2 * N_OUTPUTS * 128_000 * 4
        return MemoryEstimate(size_bytes, round(n_ctx * cell), rows + n_ctx * 512, free, OWN_BYTES + (40 << 20))

    share = n_active / n_params if n_active else 1.0
    judged = _judge(weigh, 0, n_ctx_train, total)
    return replace(judged, tokens_per_s=bytes_per_s / (size_bytes * share + TYPICAL_TOKENS * cell), is_rough=True)


def _judge(weigh: Callable[[int], MemoryEstimate], n_ctx_asked: int, n_ctx_train: int, total: int) -> MemoryFit:
    wanted = n_ctx_asked or min(n_ctx_train or N_CTX_DEFAULT, N_CTX_DEFAULT)
    best = _best_context(weigh, max(n_ctx_train or N_CTX_DEFAULT, wanted))
    least = weigh(min(wanted, MIN_CTX))
    if least.headroom < MARGIN_BYTES:
        return MemoryFit("too_big", "weights", least, min(wanted, MIN_CTX), 0)
    foreseen = weigh(wanted)
    if foreseen.headroom >= MARGIN_BYTES:
        enough = foreseen.headroom >= max(MARGIN_BYTES, LEFT_SHARE * total)
        return MemoryFit("fits" if enough else "tight", "" if enough else "little_left", foreseen, wanted, best)
    if n_ctx_asked:
        return MemoryFit("too_big", "context", foreseen, wanted, best)
    shorter = wanted
    while shorter > MIN_CTX and weigh(shorter).headroom < MARGIN_BYTES:
        shorter = max(MIN_CTX, shorter // 2)  # as loading does it
    return MemoryFit("tight", "short_context", weigh(shorter), shorter, best)


def _best_context(weigh: Callable[[int], MemoryEstimate], largest: int) -> int:
    """The longest of 512, 1,024, 2,048 … and the model's own that fits; 0 where none does."""
    best, n_ctx = 0, MIN_CTX
    while n_ctx < largest:
        if weigh(n_ctx).headroom < MARGIN_BYTES:
            return best
        best, n_ctx = n_ctx, n_ctx * 2
    return largest if weigh(largest).headroom >= MARGIN_BYTES else best
