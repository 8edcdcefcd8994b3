"""Loads llama.cpp's libraries for graphics cards, and lists the devices of this process."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from engine.devices.device import Device, DeviceKind
from engine.devices.driver_name import driver_name
from engine.native.card_guard import add_guard
from engine.native.llama import C, start, take_error_message

_KINDS: dict[int, DeviceKind] = {1: "gpu", 2: "igpu"}
"""Values of `ggml_backend_dev_type`. Accelerators are left out: llama.cpp uses them without being asked."""


class BackendLoadFailed(Exception):
    """A library for graphics cards could not be loaded; the text is the reason."""


class _Caps(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_bool) for name in ("is_async", "host_buffer", "buffer_from_host_ptr", "events", "mmap_support")
    )


class _Properties(ctypes.Structure):
    """`ggml_backend_dev_props` of ggml-backend.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("description", ctypes.c_char_p),
        ("memory_free", ctypes.c_size_t),
        ("memory_total", ctypes.c_size_t),
        ("type", ctypes.c_int),
        ("device_id", ctypes.c_char_p),
        ("caps", _Caps),
    )


@cache
def _ggml() -> Any:
    """The library with ggml's registry of devices, with the types of the functions that are used here."""
    # On Windows, a C function is found only in the library that defines it.
    ggml: Any = ctypes.CDLL(str(Path(C._base_path) / "ggml.dll")) if sys.platform == "win32" else C._lib
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    for name, arguments, result in (
        ("ggml_backend_load", (ctypes.c_char_p,), pointer),
        ("ggml_backend_dev_count", (), size),
        ("ggml_backend_dev_get", (size,), pointer),
        ("ggml_backend_dev_get_props", (pointer, ctypes.POINTER(_Properties)), None),
        ("ggml_backend_dev_backend_reg", (pointer,), pointer),
        ("ggml_backend_dev_memory", (pointer, ctypes.POINTER(size), ctypes.POINTER(size)), None),
        ("ggml_backend_dev_buffer_type", (pointer,), pointer),
        ("ggml_backend_reg_name", (pointer,), ctypes.c_char_p),
    ):
        function = getattr(ggml, name)
        function.argtypes, function.restype = arguments, result
    return ggml


def load_backend_library(path: Path) -> None:
    """Makes llama.cpp know the devices of a library. Raises BackendLoadFailed.

    A driver may crash the process here, so try the library in a child process first (`engine.devices.device_probe`)."""
    start()
    if not _ggml().ggml_backend_load(os.fsencode(path)):
        raise BackendLoadFailed(take_error_message() or f"{path.name} cannot be loaded")
    add_guard(path)


def devices() -> list[Device]:
    """The graphics cards and similar devices that llama.cpp knows in this process, with their free memory now."""
    start()
    return [found for pointer in _pointers() if (found := _describe(pointer)) is not None]


def device_pointers(ids: tuple[str, ...]) -> list[int]:
    """llama.cpp's pointers to the devices with these ids, in this order. Unknown ids are left out."""
    by_id = {found.id: pointer for pointer in _pointers() if (found := _describe(pointer)) is not None}
    return [by_id[each] for each in ids if each in by_id]


def cpu_buffer_type() -> int:
    """llama.cpp's pointer to the type of buffers in the machine's memory."""
    ggml = _ggml()
    properties = _Properties()
    for pointer in _pointers():
        ggml.ggml_backend_dev_get_props(pointer, ctypes.byref(properties))
        if properties.type == 0:
            return int(ggml.ggml_backend_dev_buffer_type(pointer))
    raise BackendLoadFailed("llama.cpp has no library for this processor")


def _pointers() -> list[int]:
    ggml = _ggml()
    return [int(ggml.ggml_backend_dev_get(i)) for i in range(ggml.ggml_backend_dev_count())]


def _describe(pointer: int) -> Device | None:
    """Describes a device; None for the processor and for accelerators."""
    ggml = _ggml()
    properties = _Properties()
    ggml.ggml_backend_dev_get_props(pointer, ctypes.byref(properties))
    kind = _KINDS.get(properties.type)
    if kind is None:
        return None
    backend = ggml.ggml_backend_reg_name(ggml.ggml_backend_dev_backend_reg(pointer))
    return Device(
        id=_text(properties.name),
        name=_text(properties.description),
        backend=_text(backend),
        kind=kind,
        memory_free=int(properties.memory_free),
        memory_total=int(properties.memory_total),
        pci_id=_text(properties.device_id),
        driver=driver_name(_text(properties.device_id)),
    )


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace").strip()
