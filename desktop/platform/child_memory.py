"""How much memory a process may take that reads a file which may be a bomb."""

from __future__ import annotations

import contextlib

import psutil


def bound_memory(n_bytes: int) -> None:
    """Limits what this process may take beside what it has now, which in a packaged program is Qt too: beyond it,
    MemoryError is raised. Linux only; elsewhere the parent watches alone."""
    with contextlib.suppress(ImportError, OSError, ValueError, OverflowError, psutil.Error):
        import resource

        most = int(psutil.Process().memory_info().vms) + n_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def memory_of(pid: int) -> int:
    """What a process takes now, in bytes; 0 where that cannot be said. Any system, any thread."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
