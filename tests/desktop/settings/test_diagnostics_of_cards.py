"""The lines about graphics cards in the diagnostics."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from desktop.settings.all_settings import Settings
from desktop.settings.diagnostics import diagnostics
from engine.devices.backend_state import BackendState
from engine.devices.device import Device
from engine.devices.offload import Offload
from engine.status import MemoryEstimate, ModelInfo, Status

CARD = Device("Vulkan0", "A card", "Vulkan", "gpu", 7 << 30, 8 << 30, driver="NVIDIA 550.54")
OFFLOAD = Offload(("Vulkan0",), 20, 33, split=(20,), device_bytes=(1 << 30,))
MODEL = ModelInfo("a", "A", Path("a.gguf"), 1, 512, 512, 1, 0.0, MemoryEstimate(1, 1, 1, 1, offload=OFFLOAD))


def test_diagnostics_name_cards_layers_and_failures(qtbot: QtBot) -> None:
    backends = (BackendState("cuda", error="no driver"), BackendState("vulkan", (CARD,)))
    lines = diagnostics(Status("ready", MODEL, backends=backends), "off", Settings(), []).splitlines()
    assert "graphics cards with cuda: no driver" in lines
    assert "graphics card Vulkan0: A card (gpu), driver NVIDIA 550.54, 8589 MB, 7516 MB free" in lines
    assert "  20 of 33 layers on Vulkan0" in lines


def test_diagnostics_say_that_there_is_no_card(qtbot: QtBot) -> None:
    assert "graphics card: none" in diagnostics(Status("empty"), "off", Settings(), []).splitlines()
