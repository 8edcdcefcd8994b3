"""LoRA adapters: files that change the weights of a model while it computes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

AdapterScales = tuple[float, ...]
"""The scale of each adapter of the loaded model, in the order of `LoadSettings.adapters`. With 0, an adapter has no
effect. KV states that were computed with different scales must not be mixed."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter in a GGUF file, and the factor by which its changes are multiplied."""

    path: Path
    scale: float = 1.0


def fitted(scales: AdapterScales, n_adapters: int) -> AdapterScales:
    """Returns exactly `n_adapters` scales. Missing ones are 0."""
    return (*scales, *(0.0,) * n_adapters)[:n_adapters]
