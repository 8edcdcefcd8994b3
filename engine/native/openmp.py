"""The threads that OpenMP keeps for a native thread that has computed."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from functools import cache
from typing import Any

OMP_PAUSE_SOFT = 1


def free_threads() -> None:
    """Ends the threads that OpenMP keeps for the calling thread. Its next decode starts new ones.

    libgomp counts the kept threads of all native threads. If there are more than cores, threads no longer spin at
    barriers, and every decode of the process takes half as long again. Does nothing with other OpenMP libraries."""
    pause = _pause_function()
    if pause is not None:
        pause(OMP_PAUSE_SOFT)


@cache
def _pause_function() -> Any:
    if sys.platform != "linux":
        return None
    with suppress(OSError, AttributeError):  # another OpenMP library is in use, or an old one
        return ctypes.CDLL("libgomp.so.1", mode=os.RTLD_NOLOAD | os.RTLD_LAZY).omp_pause_resource_all
    return None
