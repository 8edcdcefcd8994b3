"""Memory limits of child processes that read untrusted files."""

from __future__ import annotations

import contextlib

import psutil


def bound_memory(n_bytes: int) -> None:
    """Sets a limit: this process raises MemoryError if it allocates more than `n_bytes` beyond its present memory. Has
    an effect only on Linux. On other systems only the parent process limits the memory: it calls `memory_of` regularly
    and kills the child."""
    with contextlib.suppress(ImportError, OSError, ValueError, OverflowError, psutil.Error):
        import resource

        most = int(psutil.Process().memory_info().vms) + n_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def memory_of(pid: int) -> int:
    """Returns the resident memory of a process in bytes; 0 if unknown. May be called on any thread."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
