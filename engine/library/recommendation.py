"""Chooses the model of the catalogue that suits a machine best. Pure: the caller estimates how each model fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.library.catalogue import CatalogueEntry
from engine.library.memory_fit import MemoryFit

MEMORY_SHARE = 0.6
"""The share of all memory that a recommended model may need. The rest is for other programs."""

MIN_TOKENS_PER_S = 3.0
MIN_TOKENS_PER_S_THINKING = 5.0
"""A model that thinks generates several hundred tokens before its answer begins, so it has to be faster."""


def best_for_machine(
    entries: Sequence[CatalogueEntry], fit_of: Callable[[CatalogueEntry], MemoryFit | None], total_bytes: int
) -> CatalogueEntry | None:
    """The most capable chat model that fits and is fast enough; None if there is none.

    `fit_of` estimates memory and speed on this machine, with a graphics card if there is one. A model whose fit or
    speed is unknown is not chosen; a card of unknown speed counts as one that is as fast as the processor.
    `total_bytes`: all memory of the machine."""
    able = [entry for entry in entries if entry.can_chat and _suits(entry, fit_of(entry), total_bytes)]
    return max(able, key=lambda entry: (entry.rank, -entry.size_bytes), default=None)


def _suits(entry: CatalogueEntry, fit: MemoryFit | None, total_bytes: int) -> bool:
    least = MIN_TOKENS_PER_S_THINKING if "thinking" in entry.abilities else MIN_TOKENS_PER_S
    return (
        fit is not None
        and fit.verdict == "fits"
        and fit.needed <= MEMORY_SHARE * total_bytes
        and (fit.tokens_per_s or fit.least_tokens_per_s) >= least
    )
