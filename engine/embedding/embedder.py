"""The seam of embeddings: what the native thread needs of a model that embeds. Tests bring a fake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from engine.backend import Chunk, LoadSettings
from engine.events import EmbedderInfo

Pooling = Literal["mean", "cls", "last"]


@dataclass(frozen=True, slots=True)
class EmbedderLimits:
    """Tokens of one input, tokens and inputs of one decode, numbers in a vector, tokens in the vocabulary. `can_split`:
    whether an input may be read in several decodes, one after the other (not where each token sees those after it)."""

    n_ctx: int
    n_batch: int
    n_slots: int
    n_dimensions: int
    n_tokens: int
    can_split: bool
    pooling: Pooling
    thread_counts: tuple[int, ...] = (1,)


class Embedder(Protocol):
    """Native thread only, except `tokenize`."""

    info: EmbedderInfo
    limits: EmbedderLimits

    def tokenize(
        self,
        text: str,
        *,
        add_special: bool,
        parse_special: bool = True,
        mark: str = "",
        cancelled: Callable[[], bool] = bool,
    ) -> list[int]:
        """See `engine.backend.Backend.tokenize`. Any thread, while the model is loaded."""

    def read(self, chunks: Sequence[Chunk], n_threads: int) -> npt.NDArray[np.float32]:
        """One row of numbers for each token of all chunks, in their order. Raises NativeFailure."""

    def clear(self, slot: int) -> None: ...

    def close(self) -> None:
        """Frees the context, and the model where it is this one's own."""


class OpenEmbedder(Protocol):
    """Opens an embedding model's file. Raises ModelFileError, LoadCancelled, InvalidSettings, NotEnoughMemory."""

    def __call__(self, path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Embedder: ...
