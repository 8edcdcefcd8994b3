"""The commands with which CMake builds a library for graphics cards, and what they build, by system."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .paths import LLAMA_GPU

Command = tuple[str | Path, ...]


@dataclass(frozen=True, slots=True)
class Commands:
    configure: Command
    build: Command
    library: Path
    """The library, after both commands have succeeded."""


def file_name(kind: str, system: str = sys.platform) -> str:
    """The name of a library of a kind. The app has the same in engine/devices/backend_libraries.py."""
    return f"ggml-{kind}.dll" if system == "win32" else f"libggml-{kind}.so"


def commands(
    kind: str,
    folder: Path,
    tools: Path,
    sources: Path,
    definitions: Mapping[str, str],
    n_jobs: int,
    system: str = sys.platform,
) -> Commands:
    """The commands that build a library of a kind in `folder`. `tools` contains CMake and ninja, and `sources` is the
    folder of ggml.

    On Windows the newest Visual Studio is used, which CMake finds itself; the choice between release and debug is then
    made by the second command."""
    is_windows = system == "win32"
    cmake = tools / "cmake/data/bin" / ("cmake.exe" if is_windows else "cmake")
    ninja: Command = ("-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tools / 'bin/ninja'}")
    generator: Command = ("-A", "x64") if is_windows else ninja
    words = [f"-D{name}={value}" for name, value in definitions.items()]
    # CMake takes a backslash in a path for the start of an escape sequence.
    configure = (cmake, "-S", LLAMA_GPU, "-B", folder, *generator, f"-DGGML_SOURCE={sources.as_posix()}", *words)
    configuration: Command = ("--config", "Release") if is_windows else ()
    target: Command = ("--target", f"ggml-{kind}", "--parallel", str(n_jobs))
    built = folder / ("bin/Release" if is_windows else "bin") / file_name(kind, system)
    return Commands(configure, (cmake, "--build", folder, *configuration, *target), built)
