"""configure_malloc: freed memory is returned to the system. Tested in a child process, because the settings are
process-wide."""

from __future__ import annotations

import subprocess
import sys

import pytest

RESIDENT_GROWTH = """
import ctypes, sys
from pathlib import Path
from engine.malloc_config import configure_malloc

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def used(n):
    block = libc.malloc(n)
    ctypes.memset(block, 1, n)
    return block

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

if sys.argv[1] == "configured":
    configure_malloc()
libc.free(used(31 << 20))  # from now on glibc allocates all smaller blocks from its heaps
before = resident_mb()
blocks, between = zip(*[(used(8 << 20), used(1 << 18)) for _ in range(10)])
for block in blocks:
    libc.free(block)
print(resident_mb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_freed_blocks_between_used_ones_are_returned_to_the_system() -> None:
    def growth_mb(how: str) -> int:
        return int(subprocess.run([sys.executable, "-c", RESIDENT_GROWTH, how], check=True, capture_output=True).stdout)

    assert growth_mb("default") > 40, "glibc's default has changed"
    assert growth_mb("configured") < 10
