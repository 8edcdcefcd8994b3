"""Fingerprint of a llama.cpp build: flags, patches and target processor.

A wheel that was built for another processor or with other settings must not be reused: the program might crash on an
illegal instruction.
"""

from __future__ import annotations

import hashlib
import platform
from contextlib import suppress
from pathlib import Path

from .paths import LLAMA_CMAKE, LLAMA_SERVER_CMAKE, LLAMA_X86

_CPUINFO = Path("/proc/cpuinfo")
DEFINE = "INGLENOOK_COMPILED"
"""The name of a CMake definition that has no effect on the build. Its value identifies the build in uv's cache.

CMAKE_ARGS cannot do this: it contains paths that differ between checkouts, and uv's cache ignores it."""


def build_digest() -> str:
    """A digest of the build settings."""
    sha256 = hashlib.sha256()
    for path in (LLAMA_CMAKE, LLAMA_SERVER_CMAKE, *LLAMA_X86):
        sha256.update(path.read_bytes())
    return sha256.hexdigest()[:16]


def native_build_digest() -> str:
    """A digest of the build settings and of this machine's processor. It identifies builds that are used on this
    machine only."""
    return hashlib.sha256(f"{build_digest()} {_processor()}".encode()).hexdigest()[:16]


def _processor() -> str:
    """On Linux the processor's feature flags, on other systems the processor's architecture."""
    with suppress(OSError):
        for line in _CPUINFO.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("flags", "Features"):
                return " ".join(sorted(value.split()))
    return platform.machine()
