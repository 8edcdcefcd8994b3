"""Entry points to llama.cpp. Modules here import llama_cpp, which takes 0.2 s, so these functions import them late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.backend import Backend, Embedder, LoadSettings


def open_model(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Backend:
    """See `engine.backend.OpenBackend`."""
    from engine.native.backend import open_native

    return open_native(path, settings, on_progress)


def open_embedding_model(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Embedder:
    """See `engine.backend.OpenEmbedder`."""
    from engine.native.embedder import open_embedder

    return open_embedder(path, settings, on_progress)
