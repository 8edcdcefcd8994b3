"""Texts about graphics cards: what they are, and in what state. GUI thread only."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.error_reasons import translated_reason
from desktop.models.graphics_state import LibraryProgress
from desktop.platform.number_format import size
from engine.devices.backend_state import BackendState
from engine.devices.device import Device

translate = QCoreApplication.translate

_NAMES = {"vulkan": "Vulkan", "cuda": "CUDA", "hip": "ROCm", "metal": "Metal"}


def card(device: Device, *, is_used: bool) -> str:
    """One line about a card: its name, memory, driver and state."""
    if device.kind == "igpu":
        memory = translate("models", "uses the memory of the computer")
    else:
        memory = translate("models", "{total} of memory, {free} free").format(
            total=size(device.memory_total), free=size(device.memory_free)
        )
    state = translate("models", "in use") if is_used else translate("models", "ready")
    parts = [memory, device.driver, device.backend, state]
    text = translate("models", "{name}: {facts}")
    return text.format(name=device.name, facts=", ".join(part for part in parts if part))


def failure(state: BackendState) -> str:
    """Why the cards of a library are not used."""
    return translate("models", "The graphics card cannot be used with {library}: {reason}.").format(
        library=_NAMES.get(state.kind, state.kind), reason=translated_reason(state.error).rstrip(".")
    )


def building(build: LibraryProgress) -> str:
    """The progress or the failure of preparing the library for a card."""
    if build.error:
        return translate("models", "The graphics card could not be prepared: {reason}.").format(
            reason=translated_reason(build.error).rstrip(".")
        )
    percent = round(100 * build.progress)
    return translate("models", "Preparing the graphics card… {percent} %").format(percent=percent)


def ready_to_use() -> str:
    return translate("models", "The graphics card is ready: load the model again to use it.")
