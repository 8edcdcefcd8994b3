"""Estimates how fast this machine generates tokens, from its memory bandwidth and from past answers.

To generate one token, the machine reads every weight once. With many cores the memory bandwidth limits the speed, with
few cores the computation does."""

from __future__ import annotations

import contextlib
import json
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil

from engine.devices.device import Device
from engine.files.atomic_write import write_atomic

CORE_BYTES_PER_S = 6.5e9
"""Bytes of four-bit weights that one core processes per second, measured with llama.cpp on a server core of 2024."""

MEMORY_SHARE = 0.85
"""The share of the sequential read bandwidth that decoding reaches."""

CARD_SHARE = 0.7
"""The share of `Device.bytes_per_s` that decoding is assumed to reach, until the first answers of a model on the card
show it. No real card was at hand; on Vulkan's software device SmolLM2-135M reached 0.5."""

SAMPLE_BYTES = 64 << 20
N_TRIES = 4

StoredMeasurement = dict[str, float | str | dict[str, float]]


class ThroughputEstimate:
    """The estimated throughput of this machine. May be used on one thread only. The measurements are stored in
    `file`."""

    def __init__(self, file: Path | None) -> None:
        """With `file` None nothing is stored."""
        self._file = file
        self._bandwidth = 0.0
        self._best_observed = 0.0
        self._cards: dict[str, float] = {}

    @property
    def is_measured(self) -> bool:
        return self._bandwidth > 0

    @property
    def bytes_per_s(self) -> float:
        """Bytes of weights that are processed per second; 0 before the first measurement."""
        if self._best_observed:
            return self._best_observed
        return min(MEMORY_SHARE * self._bandwidth, n_physical_cores() * CORE_BYTES_PER_S)

    def card_bytes_per_s(self, device: Device) -> float:
        """Bytes of weights that a graphics card processes per second: that of its answers, before them that of its
        measurement; 0 without either."""
        return self._cards.get(device.key, CARD_SHARE * device.bytes_per_s)

    def measure(self) -> None:
        """Loads the stored measurement. If there is none, measures the memory bandwidth for a quarter of a second."""
        if not self.is_measured and not self._load():
            self._bandwidth = measure_bandwidth(n_physical_cores())
            self._save()

    def observe(self, bytes_per_s: float) -> bool:
        """Records the throughput of an answer. Returns whether that changes the estimate.

        The estimate uses the fastest answer, because answers that are generated at the same time slow each other down.
        Values above the memory bandwidth are ignored."""
        if bytes_per_s > self._bandwidth or bytes_per_s <= self._best_observed * 1.02:
            return False
        self._best_observed = bytes_per_s
        self._save()
        return True

    def observe_card(self, card: str, bytes_per_s: float) -> bool:
        """Records the throughput of an answer of a model that lies on one graphics card. Returns whether that changes
        the estimate, which uses the fastest answer."""
        if bytes_per_s <= self._cards.get(card, 0.0) * 1.02:
            return False
        self._cards[card] = bytes_per_s
        self._save()
        return True

    def _load(self) -> bool:
        if self._file is None:
            return False
        try:
            stored = json.loads(self._file.read_text(encoding="utf-8"))
            if stored["machine"] != _machine():
                return False
            self._bandwidth = float(stored["memory"])
            self._best_observed = max(self._best_observed, float(stored["shown"]))
            self._cards = {str(card): float(speed) for card, speed in stored.get("cards", {}).items()} | self._cards
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False
        return self._bandwidth > 0

    def _save(self) -> None:
        if self._file is None or not self._bandwidth:
            return
        measurement: StoredMeasurement = {
            "machine": _machine(),
            "memory": self._bandwidth,
            "shown": self._best_observed,
            "cards": self._cards,
        }
        with contextlib.suppress(OSError):  # without the file, the bandwidth is measured again at the next start
            write_atomic(self._file, json.dumps(measurement))


def measure_bandwidth(n_threads: int) -> float:
    """Measures the bytes per second that `n_threads` threads together read from memory. Returns the best of several
    tries, because other programs use the memory too."""
    blocks = [np.ones(SAMPLE_BYTES // 8, np.uint64) for _ in range(min(n_threads, 8))]
    best = 0.0
    with ThreadPoolExecutor(len(blocks), "inglenook-pace") as pool:
        for _ in range(N_TRIES):
            started = time.perf_counter()
            list(pool.map(np.max, blocks))  # np.max releases the GIL
            best = max(best, len(blocks) * SAMPLE_BYTES / (time.perf_counter() - started))
    return best


def n_physical_cores() -> int:
    return int(psutil.cpu_count(logical=False) or 1)


def _machine() -> str:
    return f"{platform.machine()} {platform.processor()} {n_physical_cores()} {psutil.virtual_memory().total}"
