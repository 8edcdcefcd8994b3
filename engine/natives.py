"""Opens what runs in llama.cpp. Late: it takes 0.2 s to import, which the window's first paint must not wait for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.backend import Backend, LoadSettings
from engine.embedding.embedder import Embedder


def open_model(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Backend:
    from engine.native.backend import open_native

    return open_native(path, settings, on_progress)


def open_embedding_model(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Embedder:
    from engine.native.embedder import open_embedder

    return open_embedder(path, settings, on_progress)
