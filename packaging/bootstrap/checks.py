"""The requirements of set-up. They are checked before its slow steps. Each check raises SetupError with the remedy."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from .errors import Sentence, SetupError
from .paths import ROOT, uv_cache

GB = 1_000_000_000
NEEDED_GB = 2.0
_MEMINFO = Path("/proc/meminfo")


def display() -> None:
    """Checks that there is a display. Without a display Qt would abort with a long message."""
    variables = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in variables):
        raise SetupError(
            "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so the window cannot open: "
            "`make serve` runs Inglenook without one."
        )


def compiler() -> None:
    """Checks that there is a C++ compiler, unless a ready-built wheel of llama-cpp-python is given."""
    choices = {"CC": ("cc", "gcc", "clang"), "CXX": ("c++", "g++", "clang++")}
    for variable, names in choices.items():
        chosen = os.environ.get(variable, "").split()[:1]
        if not any(shutil.which(name) for name in chosen or names):
            remedy = "`sudo apt-get install g++`" if shutil.which("apt-get") else "g++ or clang++"
            raise SetupError(
                Sentence(
                    "llama.cpp has to be compiled and there is no C++ compiler here: install one ({remedy}), "
                    "or name a ready-built wheel, as in `make run WHEEL=llama_cpp_python-....whl`.",
                    remedy=remedy,
                )
            )


def disk() -> None:
    """Checks the free disk space for .venv and for uv's cache. The two may be on different disks."""
    for path in (ROOT, uv_cache()):
        free_gb = shutil.disk_usage(_existing_parent(path)).free / GB
        if free_gb < NEEDED_GB:
            raise SetupError(
                f"The disk that holds {path} has {free_gb:.1f} GB left and set-up needs {NEEDED_GB:.0f} GB: "
                "free some space, then start again."
            )


def memory(needed_gb: float) -> None:
    """Checks the free memory before a compilation that takes `needed_gb`. Without this check, the system might end
    other programs."""
    free = available_memory_bytes()
    if free is not None and free < needed_gb * GB:
        raise SetupError(
            Sentence(
                "Compiling for graphics cards takes {needed} GB of memory and {free} GB are free: close other "
                "programs, then start again.",
                needed=f"{needed_gb:.0f}",
                free=f"{free / GB:.1f}",
            )
        )


def available_memory_bytes() -> int | None:
    """The memory that programs can still take; None where Linux's /proc is missing."""
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _existing_parent(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
