"""Configures glibc's malloc to return freed memory to the system.

By default, glibc allocates blocks of up to 32 MB, such as KV states, in heaps that cannot shrink afterwards. After a
few models were loaded one after another, the process then holds a third more memory than it uses.
"""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Option numbers for `mallopt`, from glibc's malloc.h."""

MMAP_THRESHOLD_BYTES = 2**20
"""Blocks larger than this are mapped separately, and returned to the system when freed. By default, glibc raises this
limit, up to 32 MB, whenever such a block is freed."""

TRIM_THRESHOLD_BYTES = 4 * 2**20
N_HEAPS = 2
"""Maximum number of malloc heaps. By default, glibc creates one for nearly every thread."""


def configure_malloc() -> None:
    """Sets glibc's malloc options for the whole process. Call it before threads are started. Idempotent. Does nothing
    without glibc."""
    if sys.platform != "linux" or not hasattr(libc := ctypes.CDLL(None), "mallopt"):
        return
    for option, value in (
        (_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES),
        (_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES),
        (_ARENA_MAX, N_HEAPS),
    ):
        libc.mallopt(option, value)
