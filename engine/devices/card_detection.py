"""Whether this machine has a graphics card, without starting a program or loading a driver.

The answer decides whether a library for graphics cards is built or tried at all. What the card is, llama.cpp says later
(`engine.devices.device_probe`).
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.devices.backend_libraries import CHOICE_VARIABLE

_VENDORS = frozenset({"0x1002", "0x10de", "0x8086", "0x5143", "0x13b5", "0x14e4", "0x1010"})
"""PCI vendors of cards with a Vulkan driver: AMD, Nvidia, Intel, Qualcomm, Arm, Broadcom, Imagination. The displays of
virtual machines (virtio, bochs, VMware, QXL, Hyper-V) have other vendors."""

_DRIVERS = frozenset({"amdgpu", "radeon", "i915", "xe", "nouveau", "nvidia", "nvidia-drm", "msm_dpu", "panfrost",
    "panthor", "v3d", "asahi", "tegra"})  # fmt: skip
"""Kernel drivers of cards that are no PCI devices, as on ARM boards, and have no vendor number."""

_VULKAN_LOADER = "libvulkan.so.1"

_DISPLAY_CLASS = "0x03"
"""The first digits of the PCI class of all display controllers."""


@dataclass(frozen=True, slots=True)
class Cards:
    """What was found. All false where there is no card."""

    has_card: bool = False
    has_vulkan_loader: bool = False
    """Whether the library is there through which programs use Vulkan."""
    has_nvidia_driver: bool = False
    is_built_in: bool = False
    """Whether llama.cpp needs no library of its own for the card: Metal on Apple's processors."""

    @property
    def can_use_vulkan(self) -> bool:
        return self.has_card and self.has_vulkan_loader


def detect_cards(root: Path | None = None, system: str = sys.platform, machine: str | None = None) -> Cards:
    """Looks for a card in a few files below `root`, by default the root of the system's file system. Takes
    milliseconds."""
    if system == "darwin":
        is_apple = (machine or platform.machine()) == "arm64"
        return Cards(has_card=is_apple, is_built_in=is_apple)
    if system == "win32":
        # A driver of a card brings the loader with it.
        folder = (root or Path(os.environ.get("SYSTEMDRIVE", "C:") + "/")) / "Windows/System32"
        has_loader, has_nvidia = ((folder / name).is_file() for name in ("vulkan-1.dll", "nvcuda.dll"))
        return Cards(has_loader or has_nvidia, has_loader, has_nvidia)
    root = root or Path("/")
    has_nvidia = (root / "dev/nvidia0").exists()
    if not (has_nvidia or (root / "dev/dxg").exists() or _has_display_controller(root)):
        return Cards()
    return Cards(True, _has_vulkan_loader(root), has_nvidia)


def wanted_kind(cards: Cards, choice: str | None = None) -> str:
    """The kind of library to build for the cards: `vulkan` or empty; or the kind that `choice` names, even without a
    card. `choice` is a value of the environment variable GPU; with None, its value."""
    if choice is None:
        choice = os.environ.get(CHOICE_VARIABLE, "")
    if choice in ("", "auto"):
        return "vulkan" if cards.can_use_vulkan and not cards.is_built_in else ""
    return "" if choice == "off" else choice


def _has_vulkan_loader(root: Path) -> bool:
    """Whether the dynamic linker finds the loader: by its cache, or in a folder of LD_LIBRARY_PATH."""
    try:
        if _VULKAN_LOADER.encode() + b"\0" in (root / "etc/ld.so.cache").read_bytes():
            return True
    except OSError:
        pass
    folders = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    return any((Path(folder) / _VULKAN_LOADER).exists() for folder in folders if folder)


def _has_display_controller(root: Path) -> bool:
    """Whether the kernel lists a card of a known vendor."""
    return any(map(_is_card, (root / "sys/class/drm").glob("card*/device")))


def _is_card(device: Path) -> bool:
    vendor = _read(device / "vendor")
    if vendor:
        return vendor in _VENDORS and _read(device / "class").startswith(_DISPLAY_CLASS)
    driver = device / "driver"
    return driver.exists() and driver.resolve().name in _DRIVERS


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip().lower()
    except (OSError, UnicodeDecodeError):
        return ""
