"""Measures the free memory and the decoding speed of this machine. The decoding speed is corrected by the measured
speed of real answers. Qt-free."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass

import psutil

from engine.library.model_metadata import ModelMetadata
from engine.library.throughput_estimate import ThroughputEstimate
from engine.status import Status

N_SPEEDS = 3
"""After this many answers, their median speed is used in place of the measured memory bandwidth."""


@dataclass(frozen=True, slots=True)
class MachineCapacity:
    """Memory in bytes and decoding throughput in bytes per second; 0 if not measured yet."""

    free: int = 0
    """Memory that would be free if the loaded model were unloaded."""
    total: int = 0
    bytes_per_s: float = 0.0


class CapacityEstimator:
    """Holds the latest measurement in `capacity`. GUI thread only, except `measure_throughput`."""

    def __init__(self, throughput: ThroughputEstimate) -> None:
        self.capacity = MachineCapacity()
        self._throughput = throughput
        self._speeds: deque[float] = deque(maxlen=N_SPEEDS)

    def measure_throughput(self) -> None:
        """Load the stored estimate of this machine's memory bandwidth, or measure it for 0.25 s. Blocks; call on a pool
        thread."""
        self._throughput.measure()

    def measure_memory(self, status: Status) -> bool:
        """Update `capacity` and return whether it changed.

        The memory of the loaded model counts as free, because another model would replace it."""
        memory = psutil.virtual_memory()
        model = status.model if status.state == "ready" else None
        own = model.memory.needed if model is not None and model.memory is not None else 0
        free, total = min(int(memory.total), int(memory.available) + own), int(memory.total)
        before, self.capacity = self.capacity, MachineCapacity(free, total, self._throughput.bytes_per_s)
        return self.capacity != before

    def add_measured_speed(self, tokens_per_s: float, metadata: ModelMetadata) -> bool:
        """Add the measured speed of an answer; `metadata` is that of the model. Return whether the estimate changed.

        The estimate uses the median of the last `N_SPEEDS` answers, because the speed of one short answer is
        unreliable."""
        if not self._throughput.is_measured:
            return False
        self._speeds.append(tokens_per_s * metadata.read_bytes)
        return len(self._speeds) >= N_SPEEDS and self._throughput.observe(statistics.median(self._speeds))
