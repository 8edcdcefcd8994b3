"""Interface between the engine and a loaded model. `engine.native` implements it with llama.cpp, and `tests/fakes.py`
implements it without a model. Call the methods only on the native thread (the one that decodes), unless their docstring
allows any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from engine.adapter import Adapter, AdapterScales
from engine.events import DraftKind
from engine.requests import Sampling
from engine.status import EmbedderInfo, ModelInfo

if TYPE_CHECKING:
    from llguidance import LLTokenizer

FlashAttention = Literal["auto", "on", "off"]
KvType = Literal["f16", "q8_0", "q4_0"]
Pooling = Literal["mean", "cls", "last", "rank"]
"""With "rank", the model scores texts: an Embedder has one row per chunk, the output of the model's ranking head."""


@dataclass(frozen=True, slots=True)
class LoadSettings:
    n_ctx: int = 0
    """Context length in tokens. With 0, the engine uses the length that the model was trained for, but at most 8,192,
    and less if memory is short."""
    n_threads: int = 0
    """Number of threads for a decode. With 0, the engine measures decodes and chooses a number that is at most the
    number of physical cores."""
    kv_type_k: KvType = "f16"
    kv_type_v: KvType = "f16"
    """A type of the V cache other than f16 requires flash attention."""
    devices: tuple[str, ...] | None = None
    """Ids of the graphics cards that compute the model (see `engine.devices.device.Device`). With None, all cards; with
    an empty tuple, the processor alone. Ids of cards that are missing are ignored."""
    n_gpu_layers: int | None = None
    """Number of layers on the cards, counted from the last one, which is the output layer. With None, as many as
    fit."""
    n_cpu_experts: int | None = None
    """Number of layers, counted from the first one, whose expert tensors stay with the processor. With None, as few as
    possible. It has no effect on models without experts."""
    tensor_split: tuple[float, ...] = ()
    """Shares of the layers for the cards, in the order of `devices`. Empty: in proportion to their free memory."""
    flash_attention: FlashAttention = "auto"
    mlock: bool = False
    """Whether the weights are locked in RAM."""
    mmap: bool = True
    drafts: bool = True
    """Whether answers are generated with draft tokens where that saves time (speculative decoding)."""
    draft_model: Path | None = None
    """A smaller model with the same vocabulary, which drafts tokens where a request's own text predicts none.
    If it cannot be used, the model is loaded without it, and `ModelInfo.draft_error` says why."""
    adapters: tuple[Adapter, ...] = ()
    """LoRA adapters for the model. A request can use other scales than those given here. If the file of an adapter
    cannot be used, the model is loaded without it, and `ModelInfo.adapter_errors` says why."""

    def without_adapter(self, path: Path) -> LoadSettings:
        return replace(self, adapters=tuple(each for each in self.adapters if each.path != path))


@dataclass(frozen=True, slots=True)
class Limits:
    """Capacities of one context, and the operations that its KV memory supports."""

    n_cells: int
    """Number of tokens that the KV memory can hold."""
    n_slots: int
    """Number of slots. A slot is a llama.cpp sequence id; it holds one prefix in KV memory."""
    n_batch: int
    """Maximum number of tokens in one decode."""
    n_running: int = 16
    """Maximum number of sequences that run at the same time."""
    n_outputs: int = 64
    """Maximum number of logits rows in one decode."""
    thread_counts: tuple[int, ...] = (1,)
    """Thread counts from which one is chosen for each decode, in ascending order."""
    supports_truncation: bool = True
    """Whether tokens at the end of a sequence can be removed from KV memory. False for recurrent and hybrid models."""
    uses_drafts: bool = True
    """`LoadSettings.drafts`."""
    sliding_window: int = 0
    """Window size, in tokens, of layers with sliding-window attention; 0 if all layers see all tokens."""
    cell_bytes: int = 0
    """Size of a token's keys and values in all layers; 0 if it is unknown."""
    prompt_cut: int = 128
    """The prompt of a sequence that runs alone is computed in decodes that begin and end at multiples of this number,
    which is at most `n_batch`, except for the tokens after the last multiple. Rounding depends on where a prompt is
    cut."""
    delivery_interval_s: float = 0.0
    """See `engine.paced_delivery`."""

    @property
    def supports_full_rollback(self) -> bool:
        """Whether a sequence, or a restored state, can be truncated to any length. Always False with a sliding window,
        because llama.cpp overwrites the cells of tokens before the window, and saved states do not contain these
        tokens."""
        return self.supports_truncation and not self.sliding_window

    @property
    def supports_drafts(self) -> bool:
        """Whether draft tokens are verified (speculative decoding). Rejected ones must be removed from KV memory."""
        return self.uses_drafts and self.supports_full_rollback


@dataclass(frozen=True, slots=True)
class EmbedderLimits:
    n_ctx: int
    """Maximum number of tokens in one input."""
    n_batch: int
    """Maximum number of tokens in one decode."""
    n_slots: int
    """Maximum number of inputs in one decode."""
    n_dimensions: int
    n_tokens: int
    """Number of tokens in the vocabulary."""
    can_split: bool
    """Whether the tokens of one input can be computed in several decodes. False for models with bidirectional
    attention."""
    pooling: Pooling
    thread_counts: tuple[int, ...] = (1,)


@dataclass(frozen=True, slots=True)
class RankFormat:
    """How a query and a document become one prompt of a reranking model."""

    template: str = ""
    """A text with {query} and {document}. If it is empty, the prompt is `first`, the query, `middle`, the document,
    `last`."""
    first: tuple[int, ...] = ()
    middle: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    control_texts: tuple[str, ...] = ()
    """Texts of the control tokens, which only the template may produce."""
    has_probabilities: bool = False
    """Whether the scores are probabilities. If not, they are logits."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens of one sequence for the next decode, at positions `start`, `start + 1`, …"""

    slot: int
    start: int
    tokens: Sequence[int]
    sample_last: bool
    """Whether a token is sampled after this chunk. If so, the decode computes the logits of the chunk's last token."""
    needs_all_logits: bool = False
    """Whether the logits of every token are needed. For an Embedder: whether the output row of every token is
    needed."""
    n_drafted: int = 0
    """Number of draft tokens at the end of `tokens`. If it is above 0, the decode computes the logits of each draft
    token and of the token before them, and tokens are sampled from all of these."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    n_tokens: int
    bos: str
    eos: str
    eog_tokens: frozenset[int]
    """The end-of-generation tokens."""
    has_word_pretokenizer: bool = False
    """Whether the tokenizer splits a text before the space between two words and tokenizes each word independently. BPE
    tokenizers do this."""
    control_texts: tuple[str, ...] = ()
    """Texts of the control tokens, which only a chat template may produce."""
    fim: tuple[str, str, str] | None = None
    """Texts of the three fill-in-the-middle tokens: prefix, suffix, middle. None if the model has none."""


class KvAllocationFailed(Exception):
    """The KV memory has no free cells for the batch, and nothing was computed. Raised by `decode`."""


class Interrupted(Exception):
    """`interrupt` ended a decode early. KV memory is as it was before the decode."""


class TokenizationCancelled(Exception):
    """Tokenization ended because its callback `cancelled` returned True."""


class NativeFailure(Exception):
    """llama.cpp failed, and the context cannot be used any more."""


class CardFailure(NativeFailure):
    """llama.cpp failed while graphics cards computed layers of the model."""


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
        """Returns the tokens of `text`.

        With `parse_special`, the text of a control token becomes that token. A caller can insert the character `mark`
        into the text of a control token, so that this text is tokenized as plain text. All `mark` characters are
        removed.

        May be called on any thread while the model is loaded. Calls `cancelled` from time to time, and raises
        TokenizationCancelled if `cancelled` returns True."""


class Sampler(Protocol):
    """Chooses the tokens of one sequence, and keeps a history of them for the repetition penalties."""

    def sample(self, row: int) -> int:
        """Returns the next token, sampled from the logits of `row`, which is the index of a token in the last
        decode."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DraftTask:
    """A request whose next tokens a model shall draft."""

    request_id: str
    slot: int
    """Its slot in the context of the main model."""
    tokens: list[int]
    """All of its tokens. The main model has not computed the last one yet. Not changed by the callee."""
    n_prompt: int
    """Number of prompt tokens at the beginning of `tokens`."""
    n: int
    """Number of tokens to draft, at least 1."""


class DraftModel(Protocol):
    """Proposes the next tokens of running requests, with a context of its own. It is a second, smaller model, or the
    MTP layers of the main model."""

    kind: DraftKind
    cost: float
    """Assumed time for one token, in units of a step of the main model."""

    def draft(self, wanted: Sequence[DraftTask]) -> dict[str, list[int]]:
        """Returns the likeliest next tokens, by request id. A request of which much is unread has no draft yet: each
        call reads a part of it. Raises NativeFailure."""

    def forget(self, request_id: str) -> None:
        """Frees what the context holds of a request. Does nothing if it holds none."""


class Backend(Protocol):
    """A loaded chat model with one context."""

    @property
    def draft_model(self) -> DraftModel | None:
        """The model of `LoadSettings.draft_model`, or else the MTP layers of this model, if they can be used."""

    info: ModelInfo
    limits: Limits
    vocabulary: Vocabulary
    chat_template: str | None
    fingerprint: bytes
    """16 bytes. Models with the same fingerprint can restore each other's KV states."""

    @property
    def tokenize(self) -> Tokenize: ...

    def piece(self, token: int) -> bytes:
        """Returns the token's bytes, empty for control tokens. May be called on any thread while the model is
        loaded."""

    def constraint_tokenizer(self) -> LLTokenizer:
        """Returns the vocabulary in the form that llguidance needs. This takes 0.3 s, so call it once. May be called on
        any thread while the model is loaded.

        The result points into the model's memory: use it only within a `keep_model_loaded` block."""

    def keep_model_loaded(self) -> AbstractContextManager[None]:
        """Returns a context manager. While a `with` block of it runs, `close` does not free weights and vocabulary. The
        block may be entered on any thread. Entering it raises NotLoaded if the model is closed."""

    def sampler(self, sampling: Sampling, history: Sequence[int]) -> Sampler:
        """Returns a new sampler. Its repetition penalties also count the tokens of `history`, the prompt."""

    def decode(self, chunks: Sequence[Chunk], n_threads: int, *, interruptible: bool = False) -> None:
        """Computes the chunks in order, as one batch. With `interruptible`, which requires full rollback, `interrupt`
        can end the decode early; call `allow_interruption` before. Raises KvAllocationFailed, Interrupted,
        NativeFailure."""

    def allow_interruption(self) -> None:
        """Makes every `interrupt` from now on end the next decode, even if it has not begun yet, provided that it is
        interruptible."""

    def set_adapter_scales(self, scales: AdapterScales) -> None:
        """Sets the scales of the adapters for later decodes, one for each entry of `info.adapters`. Remove everything
        from KV memory before."""

    def interrupt(self) -> None:
        """Ends the interruptible decode that is in progress within milliseconds. Does nothing if the decode was not
        allowed to be interrupted or has ended, or if the model computes on a GPU. May be called on any thread while the
        model is loaded."""

    def logits(self, row: int) -> npt.NDArray[np.float32]:
        """Returns the logits of `row`, with shape (n_tokens,). They are a view of llama.cpp's memory: changing them
        affects sampling. Valid until the next decode."""

    def clear(self, slot: int) -> None:
        """Removes all tokens of `slot` from KV memory."""

    def first_cached_token(self, slot: int) -> int:
        """Index of the first token of `slot` that every layer still has in KV memory; above 0 only with a sliding
        window."""

    def truncate(self, slot: int, n: int) -> None:
        """Keeps only the first `n` tokens of `slot`."""

    def reset(self) -> None:
        """Removes everything from KV memory. The next token takes the first cell."""

    def copy(self, source: int, target: int, n: int) -> None:
        """Makes the empty slot `target` share the first `n` tokens of the slot `source`."""

    def save(self, slot: int) -> memoryview:
        """Returns the KV state of `slot`, in the form that `restore` accepts."""

    def restore(self, slot: int, state: memoryview) -> bool:
        """Fills the empty `slot` with a saved state. If the state does not fit the model, returns False and leaves the
        slot empty."""

    def free_threads(self) -> None:
        """Ends the threads that are kept for the next decode, because another model computes next."""

    def open_embedder(self) -> Embedder:
        """Opens a second context, for embeddings, over the same weights. Close it before this backend. Raises
        ModelFileError."""

    def close(self) -> None:
        """Frees the context, and also the model as soon as the last `keep_model_loaded` block has ended."""


class Embedder(Protocol):
    """A context that computes embeddings, or with the pooling "rank" the scores of documents."""

    info: EmbedderInfo
    limits: EmbedderLimits
    rank_format: RankFormat
    """Only for the pooling "rank"."""

    @property
    def tokenize(self) -> Tokenize: ...

    def embed(self, chunks: Sequence[Chunk], n_threads: int) -> npt.NDArray[np.float32]:
        """Returns one output row per token, as an array of shape (sum of chunk lengths, n_dimensions); with the pooling
        "rank" one row per chunk, which is valid if the chunk ends its input. Raises NativeFailure."""

    def clear(self, slot: int) -> None: ...

    def close(self) -> None:
        """Frees the context, and also the model unless a chat model's backend owns it."""


class OpenBackend(Protocol):
    def __call__(self, path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Backend:
        """Opens a model file. `on_progress` is called with the share of the model that is loaded, 0..1, and returns
        False to cancel the load.

        Raises ModelFileError, InvalidSettings, NotEnoughMemory, LoadCancelled."""


class OpenEmbedder(Protocol):
    def __call__(
        self, path: Path, settings: LoadSettings, on_progress: Callable[[float], bool], *, ranks: bool = False
    ) -> Embedder:
        """Opens an embedding model, or with `ranks` a reranking model. The parameters and errors are those of
        OpenBackend, which opens a chat model."""
