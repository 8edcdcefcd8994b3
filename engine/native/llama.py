"""llama.cpp's C interface, with its log kept for error messages instead of being written to the terminal."""

from __future__ import annotations

import ctypes
import os
import sys
from collections import deque
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as _llama

C: Any = _llama
"""`llama_cpp.llama_cpp`: one to one what llama.h says. Untyped, so `Any`."""

_WARN, _ERROR, _CONTINUED = 3, 4, 5
_last_complaints: deque[tuple[int, str]] = deque(maxlen=20)


def _keep(level: int, text: bytes, _data: object) -> None:
    if level in (_WARN, _ERROR):
        _last_complaints.append((level, text.decode(errors="replace").strip()))


_keep_callback = C.llama_log_callback(_keep)
"""Referenced for good: llama.cpp calls it until the process ends."""


def start() -> None:
    """Prepares llama.cpp. Idempotent."""
    C.llama_log_set(_keep_callback, ctypes.c_void_p(0))
    C.llama_backend_init()
    _load_backends(Path(C._base_path))


def _load_backends(folder: Path) -> None:
    """A llama.cpp that was built for every processor has its kernels in libraries of their own, one for each kind of
    processor, and computes nothing until it is told where they lie. It takes the one that suits this processor best."""
    # Windows finds a function only in the very library that has it.
    ggml = ctypes.CDLL(str(folder / "ggml.dll")) if sys.platform == "win32" else C._lib
    ggml.ggml_backend_reg_count.restype = ctypes.c_size_t
    if ggml.ggml_backend_reg_count() == 0:
        ggml.ggml_backend_load_all_from_path(os.fsencode(folder))


def take_error_message() -> str:
    """llama.cpp's first error since the last call (those that follow say only that it failed), else its last warning,
    or an empty text."""
    errors = [text for level, text in _last_complaints if level == _ERROR]
    complaint = errors[0] if errors else _last_complaints[-1][1] if _last_complaints else ""
    _last_complaints.clear()
    return complaint
