"""Measures how fast a graphics card reads weights, with the operation that takes most of the time of a token."""

from __future__ import annotations

import ctypes
import sys
import time
from pathlib import Path
from typing import Any

from engine.native.devices import device_pointers
from engine.native.llama import C

N_COLUMNS = 4096
SMALL_BYTES, LARGE_BYTES = 8 << 20, 256 << 20
"""Sizes of the weights. The large ones do not fit into the caches of cards, so that a card reads its memory. The small
ones are enough for a device that is slower than SLOW_BYTES_PER_S, which would take seconds for the large ones."""

SLOW_BYTES_PER_S = 4e9
N_RUNS = 5
"""The fastest of this many computations counts."""

_F32, _Q4_0 = 0, 2
_ROW_BYTES = N_COLUMNS // 32 * 18


class _InitParams(ctypes.Structure):
    """`ggml_init_params` of ggml.h."""

    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


def read_bytes_per_s(device_id: str, memory_free: int) -> float:
    """Multiplies a matrix of four-bit weights with a vector on a card, as for one token. Returns the bytes of weights
    per second; 0 if that is not possible.

    It may throw or crash in the driver, so it is called in a child process only."""
    pointers = device_pointers((device_id,))
    if not pointers or memory_free < 2 * SMALL_BYTES:
        return 0.0
    library = _functions()
    backend = library.ggml_backend_dev_init(pointers[0], None)
    speed = _speed(library, backend, SMALL_BYTES)
    if speed > SLOW_BYTES_PER_S and memory_free > 2 * LARGE_BYTES:
        speed = _speed(library, backend, LARGE_BYTES)
    library.ggml_backend_free(backend)
    return speed


def _speed(library: Any, backend: int, n_bytes: int) -> float:
    """Bytes of weights per second; 0 if the computation failed."""
    context = library.ggml_init(_InitParams(1 << 20, None, True))
    n_rows = n_bytes // _ROW_BYTES
    weights = library.ggml_new_tensor_2d(context, _Q4_0, N_COLUMNS, n_rows)
    vector = library.ggml_new_tensor_2d(context, _F32, N_COLUMNS, 1)
    graph = library.ggml_new_graph(context)
    library.ggml_build_forward_expand(graph, library.ggml_mul_mat(context, weights, vector))
    buffer = library.ggml_backend_alloc_ctx_tensors(context, backend)
    seconds = _fastest_s(library, backend, graph) if buffer else 0.0
    if buffer:
        library.ggml_backend_buffer_free(buffer)
    library.ggml_free(context)
    return n_rows * _ROW_BYTES / seconds if seconds else 0.0


def _fastest_s(library: Any, backend: int, graph: int) -> float:
    """The duration of the fastest computation in seconds; 0 if one failed. In a first one, which does not count, the
    driver compiles its programs."""
    durations: list[float] = []
    for _ in range(N_RUNS + 1):
        started = time.perf_counter()
        if library.ggml_backend_graph_compute(backend, graph):
            return 0.0
        durations.append(time.perf_counter() - started)
    return min(durations[1:])


def _functions() -> Any:
    """The library with ggml's functions for computations, with their types."""
    # On Windows, a C function is found only in the library that defines it.
    is_windows = sys.platform == "win32"
    library: Any = ctypes.CDLL(str(Path(C._base_path) / "ggml-base.dll")) if is_windows else C._lib
    pointer = ctypes.c_void_p
    for name, arguments, result in (
        ("ggml_backend_dev_init", (pointer, ctypes.c_char_p), pointer),
        ("ggml_backend_free", (pointer,), None),
        ("ggml_backend_alloc_ctx_tensors", (pointer, pointer), pointer),
        ("ggml_backend_buffer_free", (pointer,), None),
        ("ggml_backend_graph_compute", (pointer, pointer), ctypes.c_int),
        ("ggml_init", (_InitParams,), pointer),
        ("ggml_free", (pointer,), None),
        ("ggml_new_graph", (pointer,), pointer),
        ("ggml_new_tensor_2d", (pointer, ctypes.c_int, ctypes.c_int64, ctypes.c_int64), pointer),
        ("ggml_mul_mat", (pointer, pointer, pointer), pointer),
        ("ggml_build_forward_expand", (pointer, pointer), None),
    ):
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, result
    return library
