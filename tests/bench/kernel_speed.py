"""Measures the speed of the llama.cpp that is installed for the running Python.

One thread is measured in CPU time, so that other load on the machine has little effect. `python
tests/bench/kernel_speed.py MODEL` prints the speed as JSON. To compare two builds of llama.cpp, run this script with
the Python of each build."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from engine.native.llama import C, start

N_PROMPT, N_DECODES = 256, 48


def measure(path: Path) -> dict[str, object]:
    """Returns the tokens per second of prefill (`read`) and decode (`write`), and the name of the kernel library."""
    start()
    model = C.llama_model_load_from_file(str(path).encode(), C.llama_model_default_params())
    params = C.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_threads, params.n_threads_batch = 1024, N_PROMPT, 1, 1
    context = C.llama_init_from_model(model, params)
    tokens = (C.llama_token * N_PROMPT)(*range(100, 100 + N_PROMPT))

    def decode(n: int) -> None:
        if C.llama_decode(context, C.llama_batch_get_one(tokens, n)) != 0:
            raise RuntimeError("llama_decode failed")

    decode(64)  # loads the weights into memory
    C.llama_memory_clear(C.llama_get_memory(context), True)
    read_s = _cpu_s(lambda: decode(N_PROMPT))
    write_s = sum(_cpu_s(lambda: decode(1)) for _ in range(N_DECODES))
    return {"read": N_PROMPT / read_s, "write": N_DECODES / write_s, "kernels": _kernels()}


def _cpu_s(work: Callable[[], None]) -> float:
    started_s = time.process_time()
    work()
    return time.process_time() - started_s


def _kernels() -> str:
    """The kernel library that llama.cpp selected. Empty if llama.cpp was built for this machine only."""
    maps = Path("/proc/self/maps")
    found = re.search(r"libggml-cpu-(\w+)\.so", maps.read_text()) if maps.exists() else None
    return found[1] if found else ""


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
