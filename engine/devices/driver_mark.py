"""Identifies the drivers of the graphics cards, from a few files and without loading a driver."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

_PATTERNS = (
    "usr/lib/libvulkan.so.1",
    "usr/lib64/libvulkan.so.1",
    "usr/lib/*-linux-gnu/libvulkan.so.1",
    "usr/share/vulkan/icd.d/*.json",
    "etc/vulkan/icd.d/*.json",
    "usr/lib/*-linux-gnu/libcuda.so.1",
)
"""Files that change when a driver is installed, removed or updated."""

_CONTENTS = (
    "sys/module/nvidia/version",
    "sys/class/drm/card*/device/vendor",
    "sys/class/drm/card*/device/device",
)
"""Files of the kernel that say which cards there are, and which driver of NVIDIA is loaded."""

_WINDOWS = ("Windows/System32/vulkan-1.dll", "Windows/System32/nvcuda.dll")


def driver_mark(root: Path | None = None, system: str = sys.platform) -> str:
    """Differs after a driver was updated, or a card added or removed. Reads files below `root`, by default the root of
    the system's file system. Takes milliseconds."""
    if root is None:
        root = Path(os.environ.get("SYSTEMDRIVE", "C:") + "/") if system == "win32" else Path("/")
    lines = [platform.release(), os.environ.get("GGML_VK_VISIBLE_DEVICES", "")]
    for path in _matches(root, _WINDOWS if system == "win32" else _PATTERNS):
        try:
            status = path.stat()
            lines.append(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}")
        except OSError:
            continue
    for path in () if system == "win32" else _matches(root, _CONTENTS):
        try:
            lines.append(f"{path} {path.read_text(errors='replace')}")
        except OSError:
            continue
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _matches(root: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(root.glob(pattern))
