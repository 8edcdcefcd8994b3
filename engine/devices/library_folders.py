"""The folders in which libraries for graphics cards are looked for, and built in a checkout."""

from __future__ import annotations

import importlib.util
import sys
from importlib import metadata
from pathlib import Path

BUILT = "build/gpu"
"""The folder in a checkout below which packaging/bootstrap/graphics_backend.py puts libraries. Each version of
llama-cpp-python has a folder of its own there, because a library works only with the ggml that it was built for."""

PACKAGED = "gpu"
"""The folder in a package, beside llama.cpp's own libraries. Those are all loaded at the start, the ones in this folder
only after a child process tried them."""


def library_folders() -> list[Path]:
    """The folders to pass to `find_libraries`, for this program as it was started. They need not exist."""
    built = built_folder()
    return [_packaged_folder()] if built is None else [built, _packaged_folder()]


def built_folder(checkout: Path | None = None) -> Path | None:
    """The folder for libraries that were built for the installed llama.cpp; None where the app does not run from a
    checkout."""
    root = checkout or checkout_folder()
    return root / BUILT / _llama_version() if root else None


def checkout_folder() -> Path | None:
    """The checkout that this program runs from; None in a package."""
    if getattr(sys, "frozen", False):
        return None
    root = Path(__file__).resolve().parents[2]
    return root if (root / "packaging/bootstrap/__main__.py").is_file() else None


def _packaged_folder() -> Path:
    if frozen := getattr(sys, "_MEIPASS", None):
        return Path(frozen) / "llama_cpp" / "lib" / PACKAGED
    found = importlib.util.find_spec("llama_cpp")  # imports nothing
    places = (found.submodule_search_locations if found else None) or [""]
    return Path(places[0]) / "lib" / PACKAGED


def _llama_version() -> str:
    """The installed version of llama-cpp-python, without the part that describes a ready-built wheel."""
    try:
        return metadata.version("llama-cpp-python").partition("+")[0]
    except metadata.PackageNotFoundError:
        return "unknown"
