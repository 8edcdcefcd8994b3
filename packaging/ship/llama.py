"""How the llama.cpp that is shipped is built: for every processor of its kind, never for the one that builds it."""

from __future__ import annotations

EVERYWHERE = {"LLAVA_BUILD": "OFF", "GGML_NATIVE": "OFF"}

VARIANTS = {
    # The kernels lie in libraries of their own, one for each kind of processor; at the start the best is taken.
    "GGML_BACKEND_DL": "ON",
    "GGML_CPU_ALL_VARIANTS": "ON",
    # Where llama.cpp itself would put them is outside of the Python package.
    "CMAKE_INSTALL_BINDIR": "llama_cpp/lib",
    "CMAKE_INSTALL_LIBDIR": "llama_cpp/lib",
}

MACOS = {"CMAKE_OSX_DEPLOYMENT_TARGET": "13.3"}
"""The oldest macOS that it runs on, which Info.plist names too; without it, that of the Mac that builds. Before 13.3
Accelerate had not what ggml calls."""


def definitions(system: str, machine: str) -> dict[str, str]:
    """CMake's definitions for a `sys.platform` and a `platform.machine()`.

    A Mac has no variants: Apple's processors are all alike to the compiler's baseline for them, and compute on Metal.
    """
    if system == "darwin":
        return EVERYWHERE | MACOS
    if machine.lower() not in ("x86_64", "amd64"):
        return EVERYWHERE
    return EVERYWHERE | VARIANTS
