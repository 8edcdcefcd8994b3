"""What this machine has room for, and how fast it computes: measured, and learned from what answers show. Qt-free."""

from __future__ import annotations

import statistics
from collections import deque

import psutil

from desktop.models.model_row import Room
from engine.library.model_metadata import ModelMetadata
from engine.library.throughput_estimate import ThroughputEstimate
from engine.status import Status

N_SPEEDS = 3
"""Answers, before they count for more than what was measured of the memory."""


class CapacityEstimator:
    """`room` is what was measured last. GUI thread, but for `measure_pace`."""

    def __init__(self, pace: ThroughputEstimate) -> None:
        self.room = Room()
        self._pace = pace
        self._speeds: deque[float] = deque(maxlen=N_SPEEDS)

    def measure_pace(self) -> None:
        """Pool thread. Reads what is kept of this machine, or measures for a quarter of a second."""
        self._pace.measure()

    def measure(self, status: Status) -> bool:
        """What would be free without the model in memory: another one takes its place. True where that is new."""
        memory = psutil.virtual_memory()
        model = status.model if status.state == "ready" else None
        own = model.memory.needed if model is not None and model.memory is not None else 0
        free, total = min(int(memory.total), int(memory.available) + own), int(memory.total)
        before, self.room = self.room, Room(free, total, self._pace.bytes_per_s)
        return self.room != before

    def learn(self, tokens_per_s: float, metadata: ModelMetadata) -> bool:
        """Of an answer of that model; True where the pace is another one now. A short answer says little, so the middle
        of the last few counts."""
        if not self._pace.is_known:
            return False
        self._speeds.append(tokens_per_s * metadata.read_bytes)
        return len(self._speeds) >= N_SPEEDS and self._pace.learn(statistics.median(self._speeds))
