"""A fake of `engine.backend.Embedder`. Its output row for a token is a one-hot vector."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.backend import Chunk, EmbedderLimits, LoadSettings, NativeFailure, RankFormat
from engine.status import EmbedderInfo

LIMITS = EmbedderLimits(
    n_ctx=100, n_batch=32, n_slots=4, n_dimensions=257, n_tokens=257, can_split=True, pooling="mean"
)


class FakeEmbedder:
    """See `engine.backend.Embedder`. Tests may set two attributes: with `fails`, `embed` raises an error, and `token_s`
    is the duration of `embed` in seconds per token."""

    def __init__(self, limits: EmbedderLimits = LIMITS) -> None:
        self.limits = limits
        self.info = EmbedderInfo("fake", Path("fake.gguf"), 1, limits.n_ctx, limits.n_dimensions)
        self.rank_format = RankFormat()
        self.fails = False
        self.token_s = 0.0
        self.closed = False
        self.slots: dict[int, int] = {}
        self.slices: list[tuple[float, int]] = []
        """The start time and the number of tokens of each `embed` call."""

    def tokenize(
        self,
        text: str,
        *,
        add_special: bool,
        parse_special: bool = True,
        mark: str = "",
        cancelled: Callable[[], bool] = bool,
    ) -> list[int]:
        return list(text.encode())

    def embed(self, chunks: Sequence[Chunk], n_threads: int) -> npt.NDArray[np.float32]:
        assert not self.closed
        tokens = [token for chunk in chunks for token in chunk.tokens]
        assert len(tokens) <= self.limits.n_batch
        assert len({chunk.slot for chunk in chunks}) == len(chunks) <= self.limits.n_slots
        for chunk in chunks:
            assert chunk.start == self.slots.get(chunk.slot, 0)
            self.slots[chunk.slot] = chunk.start + len(chunk.tokens)
        self.slices.append((time.monotonic(), len(tokens)))
        time.sleep(self.token_s * len(tokens))
        if self.fails:
            raise NativeFailure("scripted failure")
        return np.eye(self.limits.n_dimensions, dtype=np.float32)[tokens]

    def clear(self, slot: int) -> None:
        self.slots.pop(slot)

    def close(self) -> None:
        assert not self.closed
        self.closed = True


class FakeEmbedderOpener:
    """Opens fake embedders, with the signature of `engine.backend.OpenEmbedder`. `embedders` is the list of all
    embedders opened so far."""

    def __init__(self, limits: EmbedderLimits = LIMITS) -> None:
        self.limits = limits
        self.embedders: list[FakeEmbedder] = []

    def __call__(
        self, path: Path, settings: LoadSettings, on_progress: Callable[[float], bool], *, ranks: bool = False
    ) -> FakeEmbedder:
        self.embedders.append(FakeEmbedder(self.limits))
        return self.embedders[-1]
