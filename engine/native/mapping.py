"""The pages of a model's file that were only read to be copied.

llama.cpp lays many weights out anew, as suits the processor (for AMX, or for its quicker kernels of Q4_0, Q4_K and
their like), and keeps the whole file mapped for those that it did not: the process then holds most of the model twice.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def release_mapped_pages(files: Iterable[Path]) -> None:
    """Of files that are mapped, and that nobody computes with just now. What is read again comes back from the system's
    own cache, at the first touch. Does nothing where that is not Linux's, or where pages are locked."""
    if sys.platform != "linux":
        return
    libc, names = ctypes.CDLL(None), {str(file.resolve()) for file in files}
    libc.madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    with suppress(OSError):
        for line in Path("/proc/self/maps").read_text(errors="surrogateescape").splitlines():
            addresses, *_, name = line.split(maxsplit=5)
            if name in names:
                start, end = (int(address, 16) for address in addresses.split("-"))
                libc.madvise(start, end - start, mmap.MADV_DONTNEED)
