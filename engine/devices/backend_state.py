"""What is known of a library for graphics cards."""

from __future__ import annotations

from dataclasses import dataclass

from engine.devices.device import Device
from engine.errors import Reason


@dataclass(frozen=True, slots=True)
class BackendState:
    """The devices of a library, or why it is not used."""

    kind: str
    devices: tuple[Device, ...] = ()
    error: str | Reason = ""
    """Why the library is not used; empty if it is used."""
