"""The seam: what the worker needs of a model. The real one is in `engine.native`; tests bring a fake.

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

from engine.events import ModelInfo
from engine.requests import Sampling

if TYPE_CHECKING:
    from llguidance import LLTokenizer

    from engine.embedding.embedder import Embedder

KvType = Literal["f16", "q8_0", "q4_0"]


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """`n_ctx` 0 takes what the model was trained for, at most 8,192 tokens, and less where memory is short."""

    n_ctx: int = 0
    n_threads: int = 0
    """0: up to the machine's physical cores, as many as measure fastest while it runs."""
    kv_type_k: KvType = "f16"
    kv_type_v: KvType = "f16"
    """Another than f16 needs flash attention."""
    n_gpu_layers: int | None = None
    """None: all, where llama.cpp was built for a GPU, else 0."""
    flash_attention: Literal["auto", "on", "off"] = "auto"
    mlock: bool = False
    """Keep the weights in memory whatever else wants it."""
    mmap: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """What the context can hold: cells of KV memory, prefixes in them, tokens in one decode; sequences that run
    side by side, rows of logits from one decode, the thread counts that may be tried, in rising order, whether the
    end of a sequence can be dropped (not where the model keeps a running state), and the `window` of tokens beyond
    which some layers see nothing, 0 where all see all."""

    n_cells: int
    n_slots: int
    n_batch: int
    n_running: int = 16
    n_outputs: int = 64
    thread_counts: tuple[int, ...] = (1,)
    supports_truncation: bool = True
    window: int = 0

    @property
    def supports_full_rollback(self) -> bool:
        """Whether a sequence, and a saved state, can always go back to any of its tokens. What lies before the window
        may be gone: others use its memory, and states are saved without it."""
        return self.supports_truncation and not self.window


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens of one sequence for the next decode, at positions `start`, `start + 1`, …

    `samples` asks for the logits of the last token, `needs_all_logits` for those of all."""

    slot: int
    start: int
    tokens: Sequence[int]
    samples: bool
    needs_all_logits: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What templates and termination need to know. `ends` are the tokens that end an answer."""

    n_tokens: int
    bos: str
    eos: str
    ends: frozenset[int]
    has_word_pretokenizer: bool = False
    """Whether the tokenizer splits a text before each " word" and spells every piece by itself."""
    controls: tuple[str, ...] = ()
    """The texts of control tokens: what only a template may write."""
    gap: tuple[str, str, str] | None = None
    """The words before the text ahead of a gap, before the text behind it, and before what fills it; None where the
    model knows no such words."""


class KvAllocationFailed(Exception):
    """The KV memory has no place for the batch; nothing was computed."""


class TokenizationCancelled(Exception):
    """Nobody wants the tokens any more."""


class NativeFailure(Exception):
    """llama.cpp failed in a way that leaves the context unusable."""


class Sampler(Protocol):
    """Chooses tokens for one sequence and remembers what it chose."""

    def sample(self, row: int) -> int:
        """The next token from the logits of `row`, an index into the last decode's tokens."""

    def close(self) -> None: ...


class Backend(Protocol):
    info: ModelInfo
    limits: Limits
    vocabulary: Vocabulary
    chat_template: str | None
    fingerprint: bytes
    """16 bytes: models with the same one can restore each other's states."""

    def tokenize(
        self,
        text: str,
        *,
        add_special: bool,
        parse_special: bool = True,
        mark: str = "",
        cancelled: Callable[[], bool] = bool,
    ) -> list[int]:
        """Tokens of `text`; with `parse_special`, the texts of control tokens in it become those tokens. `mark` is a
        character that keeps such a text from becoming one, and is left out of the tokens.

        Raises TokenizationCancelled soon after `cancelled` returns True. Any thread, while the model is loaded."""

    def piece(self, token: int) -> bytes:
        """The token's bytes; empty for control tokens. Any thread, while the model is loaded."""

    def constraint_tokenizer(self) -> LLTokenizer:
        """The vocabulary as constraints are compiled for it; slow, so ask once. Any thread, while the model is
        loaded. It reads the model's vocabulary: what compiles with it does so within `keep_model_loaded`."""

    def keep_model_loaded(self) -> AbstractContextManager[None]:
        """While entered, `close` does not free the weights and the vocabulary; the last one to leave does. Any thread.
        Raises NotLoaded where the model was closed before."""

    def sampler(self, sampling: Sampling, history: Sequence[int]) -> Sampler:
        """A fresh sampler whose penalties count `history`, the prompt's tokens."""

    def decode(self, chunks: Sequence[Chunk], n_threads: int) -> None:
        """Computes the chunks in order, as one batch. Raises KvAllocationFailed, NativeFailure."""

    def logits(self, row: int) -> npt.NDArray[np.float32]:
        """The logits of `row`, one for each token, in llama.cpp's own memory: what is written there is sampled
        from. Valid until the next decode."""

    def clear(self, slot: int) -> None:
        """Forgets everything that `slot` holds."""

    def first_cached_token(self, slot: int) -> int:
        """The first token of `slot` that every layer still holds; more than 0 only where there is a window."""

    def cut(self, slot: int, n: int) -> None:
        """Keeps only the first `n` tokens of `slot`."""

    def copy(self, source: int, target: int, n: int) -> None:
        """Shares the first `n` tokens of `source` with the empty `target`."""

    def save(self, slot: int) -> memoryview:
        """What `slot` holds, for `restore`."""

    def restore(self, slot: int, state: memoryview) -> bool:
        """Fills the empty `slot` with what `save` gave. False, and empty, where it does not fit this model."""

    def open_embedder(self) -> Embedder:
        """A small context beside this one, over the same weights; closed before this backend. Raises ModelFileError."""

    def close(self) -> None:
        """Frees the context, then the model, the latter not before the last `keep_model_loaded` ends."""


class OpenBackend(Protocol):
    """Opens a model file. Raises ModelFileError, LoadCancelled."""

    def __call__(
        self,
        path: Path,
        settings: LoadSettings,
        on_progress: Callable[[float], bool],
    ) -> Backend:
        """`on_progress` takes 0..1 and answers False to cancel the load."""
