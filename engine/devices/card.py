"""A graphics card, and how fast it reads its memory."""

from __future__ import annotations

from dataclasses import dataclass

from engine.devices.device import Device


@dataclass(frozen=True, slots=True)
class Card:
    device: Device
    bytes_per_s: float = 0.0
    """Bytes of weights that the card processes per second; 0 if it is not known."""

    @property
    def key(self) -> str:
        return self.device.key
