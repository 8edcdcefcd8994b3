"""What other threads may tell the native thread."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from engine.backend import Backend, LoadSettings
from engine.embedding.embedder import Embedder
from engine.embedding.queue import EmbedJob
from engine.request_state import RequestState


@dataclass(frozen=True, slots=True)
class Load:
    """`done` gets the backend, or a ModelFileError or LoadCancelled."""

    path: Path
    settings: LoadSettings
    done: Future[Backend]


@dataclass(frozen=True, slots=True)
class Unload:
    done: Future[None]


@dataclass(frozen=True, slots=True)
class Submit:
    """A request whose prompt is tokenised and fits. Its tokens mean something to `backend` only."""

    state: RequestState
    backend: Backend


@dataclass(frozen=True, slots=True)
class LoadEmbedder:
    """`done` gets the embedder, or what OpenEmbedder raises."""

    path: Path
    settings: LoadSettings
    done: Future[Embedder]
    cancelled: threading.Event


@dataclass(frozen=True, slots=True)
class UnloadEmbedder:
    done: Future[None]


@dataclass(frozen=True, slots=True)
class Embed:
    job: EmbedJob


@dataclass(frozen=True, slots=True)
class Cancel:
    """The `cancelled` of some state or job was set; look for it."""


@dataclass(frozen=True, slots=True)
class Close:
    pass


Message = Load | Unload | LoadEmbedder | UnloadEmbedder | Submit | Embed | Cancel | Close
