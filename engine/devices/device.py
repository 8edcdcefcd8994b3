"""A device beside the processor on which llama.cpp can compute, such as a graphics card."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, get_args

DeviceKind = Literal["gpu", "igpu"]
"""`gpu` has memory of its own, `igpu` uses the machine's memory."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device as llama.cpp describes it. Sizes are in bytes."""

    id: str
    """llama.cpp's name, such as Vulkan0. It is unique in a process, but may change when a card is added."""
    name: str
    """The name that people know, such as "NVIDIA GeForce RTX 3060"."""
    backend: str
    """The part of llama.cpp that computes on it, such as Vulkan, CUDA, ROCm or MTL (Metal)."""
    kind: DeviceKind
    memory_free: int
    """Free memory when the device was listed. For an igpu, a part of the machine's memory."""
    memory_total: int
    pci_id: str = ""
    """The PCI address, such as 0000:c1:00.0; empty if it is not known. The same card has the same address with every
    backend."""
    driver: str = ""
    """Name and version of the driver; empty if they are not known."""
    bytes_per_s: float = 0.0
    """Bytes of weights that it reads per second in a product of a matrix and a vector; 0 if that was not measured."""

    @property
    def key(self) -> str:
        """Under this name measurements are stored: they hold for a card with its driver."""
        return f"{self.name} {self.driver}".strip()

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, object]) -> Device:
        """The inverse of `to_json`. Raises ValueError."""
        try:
            kind = next(each for each in get_args(DeviceKind) if each == values["kind"])
            return cls(
                id=str(values["id"]),
                name=str(values["name"]),
                backend=str(values["backend"]),
                kind=kind,
                memory_free=int(str(values["memory_free"])),
                memory_total=int(str(values["memory_total"])),
                pci_id=str(values.get("pci_id", "")),
                driver=str(values.get("driver", "")),
                bytes_per_s=float(str(values.get("bytes_per_s", 0))),
            )
        except (KeyError, ValueError, StopIteration) as error:
            raise ValueError(f"not a device: {values}") from error


def without_duplicates(devices: list[Device]) -> list[Device]:
    """Leaves out devices with the PCI address of an earlier one: a card that two backends list is used only once."""
    seen: set[str] = set()
    kept = []
    for device in devices:
        if not device.pci_id or device.pci_id not in seen:
            kept.append(device)
        seen.add(device.pci_id)
    return kept
