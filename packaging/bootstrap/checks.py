"""What must be true before the long part begins. Each check raises SetupError with what to do."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from .errors import SetupError
from .places import ROOT, uv_cache

GB = 1_000_000_000
NEEDED_GB = 2.0


def display() -> None:
    """A window needs a display. Qt itself would abort with a page of text."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in named):
        raise SetupError(
            "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so the window cannot open: "
            "`make serve` runs Inglenook without one."
        )


def compiler() -> None:
    """llama.cpp is compiled on this machine, unless a wheel of it is given."""
    choices = {"CC": ("cc", "gcc", "clang"), "CXX": ("c++", "g++", "clang++")}
    for variable, names in choices.items():
        chosen = os.environ.get(variable, "").split()[:1]
        if not any(shutil.which(name) for name in chosen or names):
            how = "`sudo apt-get install g++`" if shutil.which("apt-get") else "g++ or clang++"
            raise SetupError(
                f"llama.cpp has to be compiled and there is no C++ compiler here: install one ({how}), "
                "or name a ready-built wheel, as in `make run WHEEL=llama_cpp_python-....whl`."
            )


def disk() -> None:
    """Room for .venv, and for uv's cache, which may lie on another disk."""
    for path in (ROOT, uv_cache()):
        free_gb = shutil.disk_usage(_existing(path)).free / GB
        if free_gb < NEEDED_GB:
            raise SetupError(
                f"The disk that holds {path} has {free_gb:.1f} GB left and set-up needs {NEEDED_GB:.0f} GB: "
                "free some space, then start again."
            )


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
