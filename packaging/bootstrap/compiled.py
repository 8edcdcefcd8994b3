"""What llama.cpp is compiled with and for. A wheel that was compiled for another processor, or in a way that was since
mended, must not be taken for the one that is wanted: it may end by an illegal instruction."""

from __future__ import annotations

import hashlib
import platform
from contextlib import suppress
from pathlib import Path

from .places import LLAMA_CMAKE, LLAMA_SERVER_CMAKE, LLAMA_X86

_CPUINFO = Path("/proc/cpuinfo")
DEFINE = "INGLENOOK_COMPILED"
"""A definition that CMake does nothing with: uv's cache knows a built wheel by them, not by CMAKE_ARGS, where the files
are named whose paths differ with each checkout."""


def way() -> str:
    """A digest of how it is compiled."""
    sha256 = hashlib.sha256()
    for path in (LLAMA_CMAKE, LLAMA_SERVER_CMAKE, *LLAMA_X86):
        sha256.update(path.read_bytes())
    return sha256.hexdigest()[:16]


def way_and_processor() -> str:
    """The same with this machine's processor, for what is compiled for no other."""
    return hashlib.sha256(f"{way()} {_processor()}".encode()).hexdigest()[:16]


def _processor() -> str:
    """What it can do, where Linux tells; elsewhere its kind."""
    with suppress(OSError):
        for line in _CPUINFO.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("flags", "Features"):
                return " ".join(sorted(value.split()))
    return platform.machine()
