"""Marks for lupdate the sentences in which set-up says why it cannot build the library for graphics cards.

They are written in `packaging/bootstrap`, which uses no Qt, and arrive in `engine.devices.library_build`.
"""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP

MARKED = (
    QT_TRANSLATE_NOOP("reasons", "There is no library for graphics cards called {kind}: GPU is {kinds} or off."),
    QT_TRANSLATE_NOOP("reasons", "The library {kind} for graphics cards was not built: the reason is in {log}."),
    QT_TRANSLATE_NOOP(
        "reasons",
        "The library {kind} for graphics cards needs {tool}, which is not here: install its toolkit, or start with "
        "GPU=vulkan.",
    ),
    QT_TRANSLATE_NOOP(
        "reasons",
        "The library for graphics cards needs glslc, SPIRV-Headers and the Vulkan headers of version {version} or "
        "newer: install the packages that hold them (glslc or shaderc, spirv-headers, libvulkan-dev or "
        "vulkan-headers).",
    ),
    QT_TRANSLATE_NOOP(
        "reasons",
        "The library for graphics cards needs the Vulkan SDK of version {version} or newer, in the folder that the "
        "environment variable VULKAN_SDK names: install it from vulkan.lunarg.com, or set GPU=off.",
    ),
    QT_TRANSLATE_NOOP(
        "reasons", "The Debian packages in {folder} are incomplete: remove that folder, then start again."
    ),
    QT_TRANSLATE_NOOP(
        "reasons",
        "llama.cpp has to be compiled and there is no C++ compiler here: install one ({remedy}), or name a "
        "ready-built wheel, as in `make run WHEEL=llama_cpp_python-....whl`.",
    ),
    QT_TRANSLATE_NOOP("reasons", "g++ or clang++"),
    QT_TRANSLATE_NOOP(
        "reasons",
        "Compiling for graphics cards takes {needed} GB of memory and {free} GB are free: close other programs, then "
        "start again.",
    ),
    QT_TRANSLATE_NOOP(
        "reasons",
        "The disk is full: free some space (set-up needs about 2 GB at first), then start again; the log is in {log}.",
    ),
    QT_TRANSLATE_NOOP(
        "reasons",
        "A package that was downloaded is not the one that is locked, so it was not installed: start again, and if it "
        "happens again look at {log}.",
    ),
    QT_TRANSLATE_NOOP(
        "reasons",
        "Compiling llama.cpp ran out of memory: close other programs and start again, or name a ready-built wheel "
        "with WHEEL=; the log is in {log}.",
    ),
    QT_TRANSLATE_NOOP(
        "reasons",
        "The packages could not be fetched: check the network connection, then start again; the log is in {log}.",
    ),
    QT_TRANSLATE_NOOP("reasons", "Set-up stopped while {task}: the reason is at the end of {log}."),
    QT_TRANSLATE_NOOP("reasons", "compiling llama.cpp's library for graphics cards"),
    QT_TRANSLATE_NOOP("reasons", "fetching what llama.cpp is built with"),
    QT_TRANSLATE_NOOP("reasons", "fetching the sources of llama.cpp"),
    QT_TRANSLATE_NOOP("reasons", "fetching the tools that compile for graphics cards"),
    QT_TRANSLATE_NOOP("reasons", "unpacking the tools that compile for graphics cards"),
)
