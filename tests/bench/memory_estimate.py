"""`library.fit_low` and `library.fit_high`: the estimated memory of a model, divided by its measured memory. The
figures are the lowest and the highest ratio over all context lengths and KV types.

Memory is measured with a full context, since the operating system counts only memory that was written. `python -m
tests.bench.memory_estimate MODEL N_CTX KV_TYPE` loads one model, fills its context, and prints the measured and the
estimated size as JSON."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path

import psutil

from engine.backend import Chunk, KvType, LoadSettings
from engine.library.gguf_header import read_header
from engine.native.backend import NativeBackend, open_native
from engine.native.llama import start
from tests.bench.app_process import ROOT, TIMEOUT_S, environment
from tests.bench.engine_run import default_model
from tests.bench.figure import Figure

CONTEXTS = (512, 1024, 2048, 4096, 8192, 16_384)
KV_TYPES: tuple[KvType, ...] = ("f16", "q8_0", "q4_0")
N_COPIED = 240
"""The number of tokens that are decoded. Their KV state is then copied until the context is full, as when many chats
share a prefix."""


def measure() -> tuple[Figure, Figure]:
    shares = {f"{n_ctx:,} {kv_type}": _share(n_ctx, kv_type) for n_ctx in CONTEXTS for kv_type in KV_TYPES}
    low, high = min(shares, key=lambda case: shares[case]), max(shares, key=lambda case: shares[case])
    return (
        Figure("library.fit_low", shares[low], 0.95, "×", f"the least of {len(shares)}, at {low}", "at least"),
        Figure("library.fit_high", shares[high], 1.10, "×", f"the most of {len(shares)}, at {high}"),
    )


def _share(n_ctx: int, kv_type: KvType) -> float:
    command = [sys.executable, "-m", "tests.bench.memory_estimate", str(default_model()), str(n_ctx), kv_type]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=True
    )
    result = json.loads(done.stdout.splitlines()[-1])
    return float(result["estimated"] / result["measured"])


def load(path: Path, n_ctx: int, kv_type: KvType) -> dict[str, int]:
    """Loads a model and fills its context. Returns the measured and the estimated memory in bytes."""
    start()
    read_header(path)
    before = psutil.Process().memory_info().rss
    backend = open_native(path, LoadSettings(n_ctx=n_ctx, kv_type_k=kv_type, kv_type_v=kv_type), lambda progress: True)
    _fill(backend)
    after = psutil.Process().memory_info().rss
    estimate = backend.info.memory
    assert estimate is not None
    backend.close()
    return {"measured": after - before, "estimated": estimate.needed}


def _fill(backend: NativeBackend) -> None:
    """Fills the whole context."""
    n_cells, n_batch = backend.limits.n_cells, backend.limits.n_batch
    tokens = backend.tokenize("The sea is wide, and nobody has counted its waves. " * 60, add_special=True)[:n_batch]
    prefix = tokens[:N_COPIED]
    backend.decode([Chunk(0, 0, prefix, sample_last=True)], 2)
    state = backend.save(0)
    n_free = n_cells - len(prefix) - n_batch
    for slot in range(1, backend.limits.n_slots - 1):
        if n_free < len(prefix):
            break
        assert backend.restore(slot, state)
        n_free -= len(prefix)
    del state
    gc.collect()  # a reference cycle keeps the KV state in memory until the next garbage collection
    last = backend.limits.n_slots - 1
    backend.decode([Chunk(last, 0, tokens[: n_batch - 64], sample_last=False)], 2)
    backend.decode([Chunk(last, n_batch - 64, tokens[n_batch - 64 :], sample_last=True, needs_all_logits=True)], 2)


if __name__ == "__main__":
    (kv_type,) = [each for each in KV_TYPES if each == sys.argv[3]]
    print(json.dumps(load(Path(sys.argv[1]), int(sys.argv[2]), kv_type)))
