"""Entry points to llama.cpp. Each function imports its module only when it is called, because importing llama_cpp takes
0.2 s."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.child_commands import LOAD_TRIAL, child_arguments

if TYPE_CHECKING:
    from engine.backend import Backend, Embedder, LoadSettings
    from engine.devices.device import Device


def open_model(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Backend:
    """See `engine.backend.OpenBackend`."""
    from engine.native.backend import open_native

    return open_native(path, settings, on_progress)


def open_embedding_model(
    path: Path, settings: LoadSettings, on_progress: Callable[[float], bool], *, ranks: bool = False
) -> Embedder:
    """See `engine.backend.OpenEmbedder`."""
    from engine.native.embedder import open_embedder

    return open_embedder(path, settings, on_progress, ranks=ranks)


def load_library(path: Path) -> str:
    """Loads a library for graphics cards (see `engine.native.devices`). Returns why it cannot be loaded, else ""."""
    from engine.native.devices import BackendLoadFailed, load_backend_library

    try:
        load_backend_library(path)
    except BackendLoadFailed as error:
        return str(error)
    return ""


def list_devices() -> list[Device]:
    """The graphics cards that llama.cpp knows in this process."""
    from engine.native.devices import devices

    return devices()


def run_as_child(arguments: Sequence[str]) -> int | None:
    """Tries a model file or a driver, if this packaged program was started as the child process for that. Returns the
    exit code; None if the program was started for anything else."""
    child = child_arguments(arguments)
    if child is None:
        return None
    module, rest = child
    if module == LOAD_TRIAL:
        from engine.native.load_trial_process import main
    else:
        from engine.native.device_probe_process import main
    return main(rest)
