"""How fast this machine computes a token, from how fast it reads its memory, and from what it has shown so far.

A token of an answer takes every weight once. How many bytes of them go through in a second is limited by the memory
where there are many cores, and by the cores where there are few."""

from __future__ import annotations

import contextlib
import json
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil

from engine.files.atomic_write import write_atomic

CORE_BYTES_PER_S = 6.5e9
"""What one core multiplies of four-bit weights: measured with llama.cpp on one server core of 2024 beside another."""

MEMORY_SHARE = 0.85
"""What decoding gets of the speed at which memory can be read in one stretch."""

SAMPLE_BYTES = 64 << 20
N_TRIES = 4

Seen = dict[str, float | str]


class ThroughputEstimate:
    """Belongs to one thread. The file keeps what was measured, for this machine alone."""

    def __init__(self, file: Path | None) -> None:
        """None keeps nothing."""
        self._file = file
        self._memory = 0.0
        self._shown = 0.0

    @property
    def is_known(self) -> bool:
        return self._memory > 0

    @property
    def bytes_per_s(self) -> float:
        """Of weights that are computed with; 0 before anything was measured."""
        if self._shown:
            return self._shown
        return min(MEMORY_SHARE * self._memory, n_cores() * CORE_BYTES_PER_S)

    def measure(self) -> None:
        """Reads what is kept, or measures for a quarter of a second."""
        if not self.is_known and not self._load():
            self._memory = memory_bytes_per_s(n_cores())
            self._save()

    def learn(self, bytes_per_s: float) -> bool:
        """Takes up what a real answer has shown; True where it is news. An answer beside others is slower than the
        machine could be, so the fastest one counts; none is faster than memory is read."""
        if bytes_per_s > self._memory or bytes_per_s <= self._shown * 1.02:
            return False
        self._shown = bytes_per_s
        self._save()
        return True

    def _load(self) -> bool:
        if self._file is None:
            return False
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            if kept["machine"] != _machine():
                return False
            self._memory = float(kept["memory"])
            self._shown = max(self._shown, float(kept["shown"]))
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return self._memory > 0

    def _save(self) -> None:
        if self._file is None or not self._memory:
            return
        seen: Seen = {"machine": _machine(), "memory": self._memory, "shown": self._shown}
        with contextlib.suppress(OSError):  # measured again the next time
            write_atomic(self._file, json.dumps(seen))


def memory_bytes_per_s(n_threads: int) -> float:
    """How fast `n_threads` read memory at once; the best of a few tries, since others use the machine too."""
    blocks = [np.ones(SAMPLE_BYTES // 8, np.uint64) for _ in range(min(n_threads, 8))]
    best = 0.0
    with ThreadPoolExecutor(len(blocks), "inglenook-pace") as pool:
        for _ in range(N_TRIES):
            started = time.perf_counter()
            list(pool.map(np.max, blocks))  # numpy lets other threads run meanwhile
            best = max(best, len(blocks) * SAMPLE_BYTES / (time.perf_counter() - started))
    return best


def n_cores() -> int:
    return int(psutil.cpu_count(logical=False) or 1)


def _machine() -> str:
    return f"{platform.machine()} {platform.processor()} {n_cores()} {psutil.virtual_memory().total}"
