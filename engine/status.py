"""Status of the engine: loaded models, their memory, and a publisher of status changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from engine.adapter import Adapter, AdapterScales
from engine.devices.backend_state import BackendState
from engine.devices.offload import NO_OFFLOAD, Offload
from engine.errors import AdapterError, DraftModelError, EngineError
from engine.events import DraftKind
from engine.priority import Origin
from engine.publisher import Publisher


@dataclass(frozen=True, slots=True)
class KvUsage:
    """Memory for KV states that is attributed to one owner: a chat in the app's window, or an API key."""

    origin: Origin
    owner: str
    share: float
    """Share (0..1) of the KV memory."""
    host_bytes: int = 0
    """Size of the states in host memory, in bytes."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Memory that a model needs, in bytes, estimated before the model is loaded."""

    weights_bytes: int
    kv_bytes: int
    """Size of the KV cache, or of the recurrent states, of all sequences."""
    compute_bytes: int
    """Size of the compute buffers and logits for one decode."""
    available: int
    """Free memory of the machine while the model is not loaded."""
    other_bytes: int = 0
    """Size of the vocabulary and of internal data of llama.cpp."""
    offload: Offload = NO_OFFLOAD
    """The layers on graphics cards. The other sizes include what lies there."""
    draft_bytes: int = 0
    """Size of the draft model with its context, both in the machine's memory."""

    @property
    def needed(self) -> int:
        """What the model and its draft model need of the machine's memory."""
        total = self.weights_bytes + self.kv_bytes + self.compute_bytes + self.other_bytes + self.draft_bytes
        return total - self.offload.moved_bytes

    @property
    def headroom(self) -> int:
        """Memory that is left with the model loaded; negative if the model does not fit."""
        return self.available - self.needed


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The loaded chat model."""

    id: str
    """The model's name for API clients: the file name without folder and extension."""
    name: str
    path: Path
    size_bytes: int
    n_ctx: int
    n_ctx_train: int
    kv_bytes: int
    loaded_at: float
    """Unix time at which the model was loaded."""
    memory: MemoryEstimate | None = None
    n_ctx_wanted: int = 0
    """The requested context length, if it was reduced to `n_ctx` for lack of memory; otherwise 0."""
    n_layers_wanted: int = 0
    """Number of layers that were foreseen for graphics cards, if loading them failed and fewer were loaded there;
    otherwise 0."""
    draft_error: DraftModelError | None = None
    """Why the model was loaded without its draft model."""
    mtp_refusal: str = ""
    """Why its MTP layers are not used; "" if they are used, or if it has none."""
    adapter_errors: tuple[AdapterError, ...] = ()
    """Why the model was loaded without some of its adapters."""
    adapters: tuple[Adapter, ...] = ()
    """Its LoRA adapters. The scales are those of requests that set none."""

    @property
    def host(self) -> str:
        """Empty, because the model runs in this process. See `engine.chat_engine.ChatModel`."""
        return ""

    @property
    def adapter_scales(self) -> AdapterScales:
        return tuple(adapter.scale for adapter in self.adapters)

    @property
    def load_errors(self) -> tuple[DraftModelError | AdapterError, ...]:
        """Why the model was loaded without some of the files that its settings name."""
        return (*((self.draft_error,) if self.draft_error is not None else ()), *self.adapter_errors)

    @property
    def active_adapters(self) -> tuple[Adapter, ...]:
        """The adapters that change the answers of requests that set no scales."""
        return tuple(adapter for adapter in self.adapters if adapter.scale)


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    """The loaded embedding or reranking model."""

    id: str
    path: Path
    size_bytes: int
    n_ctx: int
    n_dimensions: int


@dataclass(frozen=True, slots=True)
class ModelProps:
    """Properties of the loaded chat model for API clients."""

    chat_template: str
    bos: str
    """Text of the beginning-of-sequence token."""
    eos: str
    n_running: int
    """Number of requests that can run at the same time."""
    supports_fim: bool
    """Whether the model supports fill-in-the-middle."""
    supports_drafts: bool = False
    """Whether answers are generated with draft tokens where that saves time (speculative decoding)."""
    draft_kinds: tuple[DraftKind, ...] = ()
    """What can propose draft tokens; empty if that is unknown."""


@dataclass(frozen=True, slots=True)
class Status:
    state: Literal["empty", "loading", "ready", "dead", "closed"]
    model: ModelInfo | None = None
    progress: float = 0.0
    """The loaded share of the model, 0..1."""
    error: EngineError | None = None
    """The error of the last load, or the failure of llama.cpp that ended the engine."""
    embedder: EmbedderInfo | None = None
    """The loaded embedding model. StatusPublisher sets it, independently of the chat model's state."""
    reranker: EmbedderInfo | None = None
    """The loaded reranking model, as `embedder`."""
    backends: tuple[BackendState, ...] = ()
    """The libraries for graphics cards, with their devices or the reason why they are not used. StatusPublisher sets
    it."""


class StatusPublisher(Publisher[Status]):
    """Publishes the engine's `Status`, with the embedding model, the reranking model and the
    backends in every one. May be used on any
    thread."""

    def __init__(self) -> None:
        super().__init__(Status("empty"))
        self._embedder: EmbedderInfo | None = None
        self._reranker: EmbedderInfo | None = None
        self._backends: tuple[BackendState, ...] = ()

    def update(self, change: Callable[[Status], Status]) -> None:
        super().update(
            lambda before: replace(
                change(before), embedder=self._embedder, reranker=self._reranker, backends=self._backends
            )
        )

    def publish_embedder(self, embedder: EmbedderInfo | None) -> None:
        with self._lock:
            self._embedder = embedder
            self.update(lambda before: before)

    def publish_reranker(self, reranker: EmbedderInfo | None) -> None:
        with self._lock:
            self._reranker = reranker
            self.update(lambda before: before)

    def publish_backends(self, backends: tuple[BackendState, ...]) -> None:
        with self._lock:
            self._backends = backends
            self.update(lambda before: before)
