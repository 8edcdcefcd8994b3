"""Which layers of a model graphics cards compute."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offload:
    """The layers of a model that are computed on graphics cards. The output layer counts as one more layer, after the
    last. Sizes are in bytes."""

    devices: tuple[str, ...] = ()
    """Ids of the cards that are used, in order (see `engine.devices.device.Device`)."""
    n_layers: int = 0
    """Layers on the cards, with the output layer."""
    n_all: int = 0
    """Layers of the model, with the output layer."""
    n_cpu_experts: int = 0
    """The expert tensors of the first layers, this many, stay with the processor."""
    split: tuple[float, ...] = ()
    """Layers on each card, or their shares."""
    device_bytes: tuple[int, ...] = ()
    """Predicted memory on each card: weights, keys and values, and compute buffers."""
    moved_bytes: int = 0
    """Weights, keys and values that lie on the cards and not in the machine's memory."""

    @property
    def is_whole(self) -> bool:
        """Whether the cards compute the whole model."""
        return self.n_layers == self.n_all > 0 and not self.n_cpu_experts


NO_OFFLOAD = Offload()
"""The processor computes the whole model."""
