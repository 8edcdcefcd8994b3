"""Descriptions of the graphics cards. Does no I/O."""

from __future__ import annotations

from engine.chat_engine import ChatModel, EngineStatus
from engine.devices.backend_state import BackendState
from engine.status import ModelInfo, Status


def device_list(status: EngineStatus, model: ChatModel) -> list[dict[str, object]]:
    """Returns the graphics cards, with the layers of the model on each. Sizes are in bytes, as of the last search."""
    memory = model.memory if isinstance(model, ModelInfo) else None
    offload = memory.offload if memory is not None else None
    layers = dict(zip(offload.devices, offload.split, strict=False)) if offload is not None else {}
    return [
        {
            "id": device.id,
            "name": device.name,
            "kind": device.kind,
            "backend": device.backend,
            "driver": device.driver,
            "memory_free": device.memory_free,
            "memory_total": device.memory_total,
            "n_layers": int(layers.get(device.id, 0)),
        }
        for backend in _backends(status)
        for device in backend.devices
    ]


def failed_backend_list(status: EngineStatus) -> list[dict[str, str]]:
    """Returns the libraries for graphics cards that are not used, with the reasons."""
    return [{"kind": each.kind, "error": str(each.error)} for each in _backends(status) if each.error]


def _backends(status: EngineStatus) -> tuple[BackendState, ...]:
    """Returns the libraries for graphics cards. The devices of another machine are not known."""
    return status.backends if isinstance(status, Status) else ()
