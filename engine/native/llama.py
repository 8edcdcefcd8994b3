"""llama.cpp's C interface. Its log messages are not printed, but collected for error messages."""

from __future__ import annotations

import ctypes
import os
import sys
from collections import deque
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as _llama

C: Any = _llama
"""The module `llama_cpp.llama_cpp`, which mirrors llama.h. It is declared as Any because it has no type hints."""

logits_address: Any = C._lib["llama_get_logits_ith"]
"""`llama_get_logits_ith` with the address as an integer, or None for an invalid row."""
logits_address.argtypes, logits_address.restype = [ctypes.c_void_p, ctypes.c_int32], ctypes.c_void_p

_WARN, _ERROR, _CONTINUED = 3, 4, 5
_messages: deque[tuple[int, str]] = deque(maxlen=20)


def _keep(level: int, text: bytes, _data: object) -> None:
    if level in (_WARN, _ERROR):
        _messages.append((level, text.decode(errors="replace").strip()))


_keep_callback = C.llama_log_callback(_keep)
"""The callback is a module global, because llama.cpp calls it until the process ends."""


def start() -> None:
    """Initialises llama.cpp. Idempotent."""
    C.llama_log_set(_keep_callback, ctypes.c_void_p(0))
    C.llama_backend_init()
    _load_backends(Path(C._base_path))


def _load_backends(folder: Path) -> None:
    """Loads the compute library for this processor, unless one is linked in. A portable build of llama.cpp has one such
    library per processor type, and cannot compute before one is loaded."""
    # On Windows, a C function is found only in the library that defines it.
    ggml = ctypes.CDLL(str(folder / "ggml.dll")) if sys.platform == "win32" else C._lib
    ggml.ggml_backend_reg_count.restype = ctypes.c_size_t
    if ggml.ggml_backend_reg_count() == 0:
        ggml.ggml_backend_load_all_from_path(os.fsencode(folder))


def take_error_message() -> str:
    """Returns the first error that llama.cpp logged since the last call, because later ones are less specific. If there
    was no error, returns the last warning, or "" if there was none."""
    errors = [text for level, text in _messages if level == _ERROR]
    message = errors[0] if errors else _messages[-1][1] if _messages else ""
    _messages.clear()
    return message
