"""Paths in a checkout."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "packaging" / "lock"
LLAMA_CMAKE = ROOT / "packaging" / "llama-cpp.cmake"
LLAMA_SERVER_CMAKE = ROOT / "packaging" / "llama-server.cmake"
LLAMA_GPU = ROOT / "packaging" / "llama-gpu"
LLAMA_X86 = (ROOT / "packaging" / "llama-x86.cmake", ROOT / "packaging" / "llama-x86.h")
DEBIAN_PACKAGES = ROOT / "packaging" / "linux" / "debian-packages.txt"
DEFAULT_MODEL = ROOT / "engine" / "library" / "default_model.py"

VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
UV = BIN / "uv"

BUILD = ROOT / "build"
LOG = BUILD / "setup.log"

GPU = BUILD / "gpu"
"""Libraries for graphics cards. The app looks into this folder (engine/devices/library_folders.py)."""

GPU_WORK = BUILD / "gpu-work"
"""What a build of such a library keeps, so that an interrupted one can continue."""


def uv_cache() -> Path:
    """uv's cache folder. As in uv, this is UV_CACHE_DIR if it is set, otherwise a folder in the user's cache folder."""
    chosen = os.environ.get("UV_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"
