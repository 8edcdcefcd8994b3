"""A graphics card, and how fast it reads its memory."""

from __future__ import annotations

from dataclasses import dataclass

from engine.devices.device import Device


@dataclass(frozen=True, slots=True)
class Card:
    device: Device
    bytes_per_s: float = 0.0
    """Bytes of weights that the card processes per second; 0 if that was not measured."""

    @property
    def key(self) -> str:
        """Under this name measurements are stored: they hold for a card with its driver."""
        return f"{self.device.name} {self.device.driver}".strip()
