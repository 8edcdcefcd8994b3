"""Status of the engine: loaded models, their memory, and a publisher of status changes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from engine.adapter import Adapter, AdapterScales
from engine.devices.backend_state import BackendState
from engine.devices.offload import NO_OFFLOAD, Offload
from engine.errors import DraftModelError, EngineError
from engine.events import DraftKind
from engine.priority import Origin


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

    @property
    def needed(self) -> int:
        """What the model needs of the machine's memory."""
        total = self.weights_bytes + self.kv_bytes + self.compute_bytes + self.other_bytes
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
    adapters: tuple[Adapter, ...] = ()
    """Its LoRA adapters. The scales are those of requests that set none."""

    @property
    def adapter_scales(self) -> AdapterScales:
        return tuple(adapter.scale for adapter in self.adapters)

    @property
    def active_adapters(self) -> tuple[Adapter, ...]:
        """The adapters that change the answers of requests that set no scales."""
        return tuple(adapter for adapter in self.adapters if adapter.scale)


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    """The loaded embedding model."""

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
    draft_kinds: tuple[DraftKind, ...] = ()
    """What can propose draft tokens where that saves time (speculative decoding)."""


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
    backends: tuple[BackendState, ...] = ()
    """The libraries for graphics cards, with their devices or the reason why they are not used. StatusPublisher sets
    it."""


class StatusPublisher:
    """Holds the current `Status` and notifies listeners of changes. May be used on any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._status = Status("empty")
        self._embedder: EmbedderInfo | None = None
        self._backends: tuple[BackendState, ...] = ()
        self._listeners: dict[object, tuple[asyncio.AbstractEventLoop, Callable[[Status], None]]] = {}

    @property
    def status(self) -> Status:
        return self._status

    def publish(self, status: Status) -> None:
        self.update(lambda before: status)

    def update(self, change: Callable[[Status], Status]) -> None:
        """Atomically replaces the current status by the result of `change`, which gets the current one."""
        with self._lock:
            status = replace(change(self._status), embedder=self._embedder, backends=self._backends)
            if status == self._status:
                return
            self._status = status
            # Listeners are notified while the lock is held, so that all of them get the changes in the same order.
            for key, (loop, notify) in list(self._listeners.items()):
                try:
                    loop.call_soon_threadsafe(notify, status)
                except RuntimeError:  # the listener's event loop is closed
                    del self._listeners[key]

    def publish_embedder(self, embedder: EmbedderInfo | None) -> None:
        with self._lock:
            self._embedder = embedder
            self.update(lambda before: before)

    def publish_backends(self, backends: tuple[BackendState, ...]) -> None:
        with self._lock:
            self._backends = backends
            self.update(lambda before: before)

    def watch(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Calls `listener` on the caller's event loop, first with the current status and then after every change.

        Returns a function that ends these calls. That function may be called on any thread."""
        loop = asyncio.get_running_loop()
        key = object()
        active = True

        def notify(status: Status) -> None:
            if active:
                listener(status)

        def stop() -> None:
            nonlocal active
            active = False
            with self._lock:
                self._listeners.pop(key, None)

        with self._lock:
            self._listeners[key] = (loop, notify)
            loop.call_soon(notify, self._status)
        return stop
