"""Finds the libraries with which llama.cpp computes on graphics cards.

A library for a kind of card lies in one of two folders: beside llama.cpp's own libraries in a package, or in a folder
of the user, where set-up builds it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

KINDS = ("cuda", "hip", "vulkan")
"""The kinds of libraries, the preferred ones first: a card that CUDA or ROCm (hip) can use is faster with it."""

CHOICE_VARIABLE = "GPU"
"""Environment variable: `off` uses no graphics card, one of KINDS only that kind."""


@dataclass(frozen=True, slots=True)
class BackendLibrary:
    kind: str
    """One of KINDS."""
    path: Path

    @property
    def mark(self) -> str:
        """Identifies the file's content: differs after it was built again."""
        status = self.path.stat()
        text = f"{self.path} {status.st_size} {status.st_mtime_ns}"
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def file_name(kind: str) -> str:
    """The name of a library on this system."""
    return f"ggml-{kind}.dll" if sys.platform == "win32" else f"libggml-{kind}.so"


def find_libraries(folders: Sequence[Path], choice: str | None = None) -> list[BackendLibrary]:
    """Returns the first library of each kind, in the order of KINDS. `choice` is `off`, a kind, or empty for all kinds;
    with None, the value of the environment variable."""
    if choice is None:
        choice = os.environ.get(CHOICE_VARIABLE, "")
    wanted = () if choice == "off" else tuple(kind for kind in KINDS if choice in ("", "auto", kind))
    found = []
    for kind in wanted:
        paths = (folder / file_name(kind) for folder in folders)
        path = next((each for each in paths if each.is_file()), None)
        if path is not None:
            found.append(BackendLibrary(kind, path))
    return found
