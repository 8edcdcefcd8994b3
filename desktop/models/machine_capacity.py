"""Measures the free memory and the decoding speed of this machine. The decoding speed is corrected by the measured
speed of real answers. Qt-free."""

from __future__ import annotations

import statistics
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

import psutil

from engine.devices.card import Card
from engine.devices.device import Device
from engine.devices.offload import NO_OFFLOAD, Offload
from engine.library.model_metadata import ModelMetadata
from engine.library.throughput_estimate import ThroughputEstimate
from engine.status import Status

N_SPEEDS = 3
"""After this many answers, their median speed is used in place of the measured memory bandwidth."""


CARD_READ_BYTES = 10**9
"""The speed of a card is measured with models of which at least this much is read per token. A smaller model is limited
by the time to start each computation on the card, not by its memory."""


@dataclass(frozen=True, slots=True)
class MachineCapacity:
    """Memory in bytes and decoding throughput in bytes per second; 0 if not measured yet."""

    free: int = 0
    """Memory that would be free if the loaded model were unloaded."""
    total: int = 0
    bytes_per_s: float = 0.0
    cards: tuple[Card, ...] = ()
    """The graphics cards, with the memory that would be free on them without the loaded model."""


class CapacityEstimator:
    """Holds the latest measurement in `capacity`. GUI thread only, except `measure_throughput`."""

    def __init__(self, throughput: ThroughputEstimate) -> None:
        self.capacity = MachineCapacity()
        self._throughput = throughput
        self._devices: tuple[Device, ...] = ()
        self._speeds: defaultdict[tuple[str, ...], deque[float]] = defaultdict(lambda: deque(maxlen=N_SPEEDS))

    def measure_throughput(self) -> None:
        """Load the stored estimate of this machine's memory bandwidth, or measure it for 0.25 s. Blocks; call on a pool
        thread."""
        self._throughput.measure()

    def set_devices(self, devices: Iterable[Device], loaded: Offload = NO_OFFLOAD) -> None:
        """Set the graphics cards. `measure_memory` then updates `capacity`.

        `loaded` is where the model was that was in memory when the devices were listed. Its memory counts as free."""
        own = dict(zip(loaded.devices, loaded.device_bytes, strict=True))
        self._devices = tuple(
            replace(each, memory_free=min(each.memory_total, each.memory_free + own.get(each.id, 0)))
            for each in devices
        )

    def measure_memory(self, status: Status) -> bool:
        """Update `capacity` and return whether it changed.

        The memory of the loaded model counts as free, because another model would replace it."""
        memory = psutil.virtual_memory()
        model = status.model if status.state == "ready" else None
        own = model.memory.needed if model is not None and model.memory is not None else 0
        free, total = min(int(memory.total), int(memory.available) + own), int(memory.total)
        cards = tuple(map(self._card, self._devices))
        before, self.capacity = self.capacity, MachineCapacity(free, total, self._throughput.bytes_per_s, cards)
        return self.capacity != before

    def add_measured_speed(self, tokens_per_s: float, metadata: ModelMetadata, offload: Offload = NO_OFFLOAD) -> bool:
        """Add the measured speed of an answer; `metadata` is that of the model, `offload` says where it is. Return
        whether an estimate changed.

        The estimate uses the median of the last `N_SPEEDS` answers of the same placement, because the speed of one
        short answer is unreliable. A model that is divided between card and processor says nothing about either."""
        is_divided = bool(offload.devices) and not (offload.is_whole and len(offload.devices) == 1)
        is_too_small = bool(offload.devices) and metadata.read_bytes < CARD_READ_BYTES
        if not self._throughput.is_measured or is_divided or is_too_small:
            return False
        speeds = self._speeds[offload.devices]
        speeds.append(tokens_per_s * metadata.read_bytes)
        if len(speeds) < N_SPEEDS:
            return False
        speed = statistics.median(speeds)
        if not offload.devices:
            return self._throughput.observe(speed)
        card = next((each for each in self.capacity.cards if each.device.id == offload.devices[0]), None)
        return card is not None and self._throughput.observe_card(card.key, speed)

    def _card(self, device: Device) -> Card:
        return Card(device, self._throughput.card_bytes_per_s(device))
