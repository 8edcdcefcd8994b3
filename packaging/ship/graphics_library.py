"""The library for graphics cards in the packages for Linux and Windows: Vulkan's, which all makers' drivers support.

It is one build for all cards and processors. The Vulkan loader and the drivers are the system's: nothing of them is
packed, and without them the library is left out when the program starts."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from bootstrap.console import say
from bootstrap.graphics_backend import Builder, headers_version

from . import environment

KIND = "vulkan"
FOLDER = Path("llama_cpp/lib/gpu")
"""The library's folder in the freeze. It is apart from llama.cpp's other libraries, because those are all loaded at the
start (engine/devices/library_folders.py)."""


def add(internal: Path) -> None:
    """Builds the library, unless there is one, and copies it into the freeze. Does nothing on macOS, where llama.cpp
    contains Metal, and if the environment variable GPU is `off`. Raises SetupError."""
    if sys.platform == "darwin":
        return
    if os.environ.get("GPU") == "off":
        say("The library for graphics cards is left out, as GPU=off asks")
        return
    say("Building the library for graphics cards")
    library = Builder(install=environment.install, n_jobs=os.cpu_count() or 1).ensure(KIND)
    target = internal / FOLDER / library.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(library, target)


def components(internal: Path) -> list[tuple[str, str, str]]:
    """Name, version and licence of what the library contains beside ggml. Empty if the freeze has no such library."""
    if not any((internal / FOLDER).glob("*ggml-*")):
        return []
    version = headers_version(KIND)
    return [("Vulkan-Headers", version, "Apache-2.0"), ("SPIRV-Headers", version, "MIT")]
