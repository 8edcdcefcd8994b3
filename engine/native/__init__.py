"""Entry points to llama.cpp. Each function imports its module only when it is called, because importing llama_cpp takes
0.2 s."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.library.load_trial_command import load_trial_arguments

if TYPE_CHECKING:
    from engine.backend import Backend, Embedder, LoadSettings


def open_model(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Backend:
    """See `engine.backend.OpenBackend`."""
    from engine.native.backend import open_native

    return open_native(path, settings, on_progress)


def open_embedding_model(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Embedder:
    """See `engine.backend.OpenEmbedder`."""
    from engine.native.embedder import open_embedder

    return open_embedder(path, settings, on_progress)


def run_load_trial(arguments: Sequence[str]) -> int | None:
    """Loads a model file on trial, if this packaged program was started as the child process for that. Returns the exit
    code; None if the program was started for anything else."""
    trial_arguments = load_trial_arguments(arguments)
    if trial_arguments is None:
        return None
    from engine.native.load_trial_process import main

    return main(trial_arguments)
