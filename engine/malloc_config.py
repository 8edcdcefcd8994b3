"""How malloc keeps memory that was freed. Without this, an app that has exchanged its model a few times holds a third
more than it uses: states of 30 MB and the like are cut out of heaps that can then never shrink again."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""`M_…` of glibc's malloc.h."""

LARGE_BYTES = 2**20
"""What is as large or larger is taken from the system by itself and given back when freed. glibc would raise this to
32 MB with the first such block that is freed."""

KEPT_FREE_BYTES = 4 * 2**20
N_HEAPS = 2
"""glibc would open a heap for nearly each thread, with its own gaps."""


def configure_malloc() -> None:
    """For the whole process, and best before it has threads. Idempotent; does nothing where malloc is not glibc's."""
    if sys.platform != "linux" or not hasattr(libc := ctypes.CDLL(None), "mallopt"):
        return
    for option, value in (
        (_MMAP_THRESHOLD, LARGE_BYTES),
        (_TRIM_THRESHOLD, KEPT_FREE_BYTES),
        (_ARENA_MAX, N_HEAPS),
    ):
        libc.mallopt(option, value)
