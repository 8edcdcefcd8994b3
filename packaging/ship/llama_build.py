"""CMake definitions of the shipped llama.cpp, which must run on all processors, not only on the build machine's."""

from __future__ import annotations

EVERYWHERE = {"LLAVA_BUILD": "OFF", "GGML_NATIVE": "OFF"}

VARIANTS = {
    # One kernel library per processor generation; the best one is selected at the start.
    "GGML_BACKEND_DL": "ON",
    "GGML_CPU_ALL_VARIANTS": "ON",
    # llama.cpp's default folders are outside the Python package.
    "CMAKE_INSTALL_BINDIR": "llama_cpp/lib",
    "CMAKE_INSTALL_LIBDIR": "llama_cpp/lib",
}

MACOS = {"CMAKE_OSX_DEPLOYMENT_TARGET": "13.3"}
"""The oldest supported macOS, as in Info.plist; by default, it would be the macOS of the build machine. ggml needs
functions of Accelerate that were added in 13.3."""


def definitions(system: str, machine: str) -> dict[str, str]:
    """The definitions for a system (a value of `sys.platform`) and a machine (a value of `platform.machine()`).

    A Mac needs no kernel variants: the compiler's baseline covers all of Apple's processors, and Metal computes.
    """
    if system == "darwin":
        return EVERYWHERE | MACOS
    if machine.lower() not in ("x86_64", "amd64"):
        return EVERYWHERE
    return EVERYWHERE | VARIANTS
