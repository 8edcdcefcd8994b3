"""Ends the processes that benchmarks started, also when a benchmark is interrupted."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

TIMEOUT_S = 5.0


@contextmanager
def no_process_left() -> Iterator[None]:
    """During the block SIGTERM raises KeyboardInterrupt. At its end, all descendants of this process are ended.

    Call it on the main thread."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        end_descendants()
        signal.signal(signal.SIGTERM, before)


def end_descendants() -> None:
    """Kills all descendants of this process, and waits for their end."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(children, TIMEOUT_S)
