"""CMake definitions of the shipped llama.cpp. It must run on all processors, not only on that of the build machine."""

from __future__ import annotations

EVERYWHERE = {"LLAVA_BUILD": "OFF", "GGML_NATIVE": "OFF"}

VARIANTS = {
    # These definitions build one kernel library per processor generation. At start llama.cpp loads the best one.
    "GGML_BACKEND_DL": "ON",
    "GGML_CPU_ALL_VARIANTS": "ON",
    # llama.cpp's default installation folders are outside the Python package.
    "CMAKE_INSTALL_BINDIR": "llama_cpp/lib",
    "CMAKE_INSTALL_LIBDIR": "llama_cpp/lib",
}

MACOS = {"CMAKE_OSX_DEPLOYMENT_TARGET": "13.3"}
"""The oldest supported macOS, the same as in Info.plist. By default, it would be the macOS version of the build
machine.

ggml uses functions of Apple's Accelerate library that were added in macOS 13.3."""


def definitions(system: str, machine: str) -> dict[str, str]:
    """The definitions for a system (a value of `sys.platform`) and a machine (a value of `platform.machine()`).

    macOS needs no kernel variants. The compiler's default suits all Apple processors, and most work is done by Metal.
    """
    if system == "darwin":
        return EVERYWHERE | MACOS
    if machine.lower() not in ("x86_64", "amd64"):
        return EVERYWHERE
    return EVERYWHERE | VARIANTS
