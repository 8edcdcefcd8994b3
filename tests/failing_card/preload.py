"""Makes Vulkan's software device fail as a graphics card may, by a library that is preloaded into a child process."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

from engine.devices.backend_libraries import find_libraries
from engine.devices.library_folders import library_folders

SOFTWARE_DEVICE = {"GPU": "vulkan", "GGML_VK_VISIBLE_DEVICES": "0"}
"""Environment variables: the app uses Vulkan although there is no card, and llama.cpp lists a software device, which it
otherwise leaves out."""


def missing_part() -> str:
    """What is missing here to use the software device through llama.cpp's library for Vulkan; empty if nothing is."""
    if not sys.platform.startswith("linux") or not find_libraries(library_folders(), "vulkan"):
        return "there is no library for graphics cards"
    if not list(Path("/usr/share/vulkan/icd.d").glob("lvp_icd*")):
        return "there is no software device"
    try:
        ctypes.CDLL("libvulkan.so.1")
    except OSError:
        return "there is no Vulkan"
    return "" if shutil.which("cc") else "there is no C compiler"


def vulkan_library() -> Path:
    """llama.cpp's library for Vulkan. `missing_part` is empty."""
    return find_libraries(library_folders(), "vulkan")[0].path


def failing_environment(folder: Path) -> dict[str, str]:
    """Compiles the library in `folder`. Returns the environment variables for a process that preloads it."""
    preloaded = folder / "failing_card.so"
    source = Path(__file__).with_name("failing_card.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", preloaded, source, "-ldl"], check=True)
    return {**SOFTWARE_DEVICE, "LD_PRELOAD": str(preloaded)}


def allocated_bytes() -> int:
    """Memory on all cards that this process uses. The library is preloaded."""
    function = ctypes.CDLL(None).allocated_memory
    function.restype = ctypes.c_uint64
    return int(function())
