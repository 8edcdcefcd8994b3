"""Interface between the engine and a loaded model. `engine.native` implements it with llama.cpp, `tests/fakes.py`
without a model.

Unless a docstring says otherwise, everything is called on the native thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from engine.requests import Sampling
from engine.status import EmbedderInfo, ModelInfo

if TYPE_CHECKING:
    from llguidance import LLTokenizer

KvType = Literal["f16", "q8_0", "q4_0"]
Pooling = Literal["mean", "cls", "last"]


@dataclass(frozen=True, slots=True)
class LoadSettings:
    n_ctx: int = 0
    """0: the length that the model was trained for, at most 8,192 tokens, or less if memory is short."""
    n_threads: int = 0
    """0: chosen by measurement while it runs, up to the number of physical cores."""
    kv_type_k: KvType = "f16"
    kv_type_v: KvType = "f16"
    """A type other than f16 requires flash attention."""
    n_gpu_layers: int | None = None
    """None: all layers if llama.cpp was built for a GPU, otherwise 0."""
    flash_attention: Literal["auto", "on", "off"] = "auto"
    mlock: bool = False
    """Locks the weights in RAM."""
    mmap: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """Capacities of one context, and what its KV memory supports."""

    n_cells: int
    """Tokens in KV memory."""
    n_slots: int
    """Prefixes in KV memory."""
    n_batch: int
    """Tokens in one decode."""
    n_running: int = 16
    """Sequences that run at the same time."""
    n_outputs: int = 64
    """Rows of logits from one decode."""
    thread_counts: tuple[int, ...] = (1,)
    """Thread counts to choose from, in ascending order."""
    supports_truncation: bool = True
    """Whether tokens at the end of a sequence can be removed. False for recurrent and hybrid models."""
    sliding_window: int = 0
    """Number of tokens that layers with a sliding window see; 0 if all layers see all tokens."""

    @property
    def supports_full_rollback(self) -> bool:
        """Whether a sequence, or a restored state, can be truncated to any length. With a sliding window, cells before
        the window are reused by other sequences and are missing from saved states."""
        return self.supports_truncation and not self.sliding_window


@dataclass(frozen=True, slots=True)
class EmbedderLimits:
    n_ctx: int
    """Tokens of one input."""
    n_batch: int
    """Tokens of one decode."""
    n_slots: int
    """Inputs of one decode."""
    n_dimensions: int
    n_tokens: int
    """Size of the vocabulary."""
    can_split: bool
    """Whether one input can be computed in several decodes. False for models with bidirectional attention."""
    pooling: Pooling
    thread_counts: tuple[int, ...] = (1,)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens of one sequence for the next decode, at positions `start`, `start + 1`, …"""

    slot: int
    start: int
    tokens: Sequence[int]
    sample_last: bool
    """Whether the last token needs logits."""
    needs_all_logits: bool = False
    """Whether every token needs logits, or with an Embedder an output row."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    n_tokens: int
    bos: str
    eos: str
    eog_tokens: frozenset[int]
    """The end-of-generation tokens."""
    has_word_pretokenizer: bool = False
    """Whether the tokenizer splits a text before each " word" and tokenizes the parts independently, as BPE does."""
    control_texts: tuple[str, ...] = ()
    """Texts of the control tokens, which only a chat template may produce."""
    fim: tuple[str, str, str] | None = None
    """Texts of the fill-in-the-middle tokens: prefix, suffix, middle. None if the model has none."""


class KvAllocationFailed(Exception):
    """The KV memory has no free cells for the batch; nothing was computed."""


class TokenizationCancelled(Exception):
    """`cancelled` returned True during tokenization."""


class NativeFailure(Exception):
    """llama.cpp failed; the context is unusable."""


class Tokenize(Protocol):
    def __call__(
        self,
        text: str,
        *,
        add_special: bool,
        parse_special: bool = True,
        mark: str = "",
        cancelled: Callable[[], bool] = bool,
    ) -> list[int]:
        """Tokens of `text`. `parse_special`: texts of control tokens become those tokens. `mark`: a character that
        prevents this where it occurs within such a text, and is removed.

        Any thread, while the model is loaded. Raises TokenizationCancelled soon after `cancelled` returns True."""


class Sampler(Protocol):
    """Chooses the tokens of one sequence; keeps a history of them for its penalties."""

    def sample(self, row: int) -> int:
        """The next token, from the logits of `row`, an index into the tokens of the last decode."""

    def close(self) -> None: ...


class Backend(Protocol):
    """A chat model with one context."""

    info: ModelInfo
    limits: Limits
    vocabulary: Vocabulary
    chat_template: str | None
    fingerprint: bytes
    """16 bytes, the same for models that can restore each other's states."""

    @property
    def tokenize(self) -> Tokenize: ...

    def piece(self, token: int) -> bytes:
        """The token's bytes; empty for control tokens. Any thread, while the model is loaded."""

    def constraint_tokenizer(self) -> LLTokenizer:
        """The vocabulary for llguidance. Takes 0.3 s, so call it once. Any thread, while the model is loaded.

        It points into the model's memory: use it only within `keep_model_loaded`."""

    def keep_model_loaded(self) -> AbstractContextManager[None]:
        """While any such context is entered, `close` does not free weights and vocabulary; leaving the last one does.

        Any thread. Raises NotLoaded if the model is closed."""

    def sampler(self, sampling: Sampling, history: Sequence[int]) -> Sampler:
        """A new sampler whose penalties count the tokens of `history`, the prompt."""

    def decode(self, chunks: Sequence[Chunk], n_threads: int) -> None:
        """Computes the chunks in order, as one batch. Raises KvAllocationFailed, NativeFailure."""

    def logits(self, row: int) -> npt.NDArray[np.float32]:
        """The logits of `row`, shape (n_tokens,), as a view on llama.cpp's memory: writes affect sampling. Valid until
        the next decode."""

    def clear(self, slot: int) -> None:
        """Removes all tokens of `slot`."""

    def first_cached_token(self, slot: int) -> int:
        """Index of the first token of `slot` that every layer holds; above 0 only with a sliding window."""

    def truncate(self, slot: int, n: int) -> None:
        """Keeps only the first `n` tokens of `slot`."""

    def copy(self, source: int, target: int, n: int) -> None:
        """Shares the first `n` tokens of `source` with the empty `target`."""

    def save(self, slot: int) -> memoryview:
        """The KV state of `slot`, for `restore`."""

    def restore(self, slot: int, state: memoryview) -> bool:
        """Fills the empty `slot` with a saved state. False, leaving it empty, if the state does not fit the model."""

    def open_embedder(self) -> Embedder:
        """A second context over the same weights; close it before this backend. Raises ModelFileError."""

    def close(self) -> None:
        """Frees the context, and the model once no `keep_model_loaded` is entered."""


class Embedder(Protocol):
    """A context that computes embeddings."""

    info: EmbedderInfo
    limits: EmbedderLimits

    @property
    def tokenize(self) -> Tokenize: ...

    def embed(self, chunks: Sequence[Chunk], n_threads: int) -> npt.NDArray[np.float32]:
        """Output rows of all tokens, shape (sum of chunk lengths, n_dimensions). Raises NativeFailure."""

    def clear(self, slot: int) -> None: ...

    def close(self) -> None:
        """Frees the context, and the model if it belongs to this embedder alone."""


class OpenBackend(Protocol):
    def __call__(self, path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Backend:
        """Opens a model file. `on_progress` gets 0..1 and returns False to cancel.

        Raises ModelFileError, InvalidSettings, NotEnoughMemory, LoadCancelled."""


class OpenEmbedder(Protocol):
    def __call__(self, path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Embedder:
        """Opens an embedding model; parameters and errors as of OpenBackend."""
