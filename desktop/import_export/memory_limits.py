"""How much memory the process takes that reads an export."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

START_BYTES = 384 << 20
"""For a small document; in a parent's eyes, also for Python and its modules."""

TIMES_SIZE = 60
"""Exports compress to a tenth, and a document takes up to six times its size while it is read: its bytes, its text with
up to four bytes a letter, and one chat of it as objects."""

MAX_BYTES = 6 << 30
TOO_LARGE = "it is too large"


def memory_for(path: Path) -> int:
    """The limit in bytes for reading this file, or the largest file of this folder. A ZIP of a few kilobytes that
    unpacks to gigabytes comes to its end early."""
    available = int(psutil.virtual_memory().total) // 2
    return max(START_BYTES, min(START_BYTES + TIMES_SIZE * _size(path), MAX_BYTES, available))


def _size(path: Path) -> int:
    largest = 0
    with contextlib.suppress(OSError):
        if not path.is_dir():
            return path.stat().st_size
        for folder, _, names in os.walk(path):
            for name in names:
                with contextlib.suppress(OSError):
                    largest = max(largest, Path(folder, name).stat().st_size)
    return largest
