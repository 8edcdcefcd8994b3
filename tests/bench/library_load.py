"""In a process of its own: loads a model, fills its context to the last cell, and tells what memory it really takes.

Arguments: the file, tokens of context, KV type. Says a line of JSON.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import psutil

from engine.backend import Chunk, KvType, LoadSettings
from engine.library.gguf_header import read_header
from engine.native.backend import NativeBackend, open_native
from engine.native.llama import start

N_PIECE = 240
"""Tokens that are read once, and copied until the context is full: as many chats do that share it."""


def main(path: Path, n_ctx: int, kv_type: KvType) -> None:
    start()
    read_header(path)
    before = psutil.Process().memory_info().rss
    backend = open_native(path, LoadSettings(n_ctx=n_ctx, kv_type_k=kv_type, kv_type_v=kv_type), lambda progress: True)
    _fill(backend)
    after = psutil.Process().memory_info().rss
    account = backend.info.memory
    assert account is not None
    print(json.dumps({"measured": after - before, "predicted": account.needed}))
    backend.close()


def _fill(backend: NativeBackend) -> None:
    n_cells, n_batch = backend.limits.n_cells, backend.limits.n_batch
    tokens = backend.tokenize("The sea is wide, and nobody has counted its waves. " * 60, add_special=True)[:n_batch]
    piece = tokens[:N_PIECE]
    backend.decode([Chunk(0, 0, piece, sample_last=True)], 2)
    state = backend.save(0)
    n_free = n_cells - len(piece) - n_batch
    for slot in range(1, backend.limits.n_slots - 1):
        if n_free < len(piece):
            break
        assert backend.restore(slot, state)
        n_free -= len(piece)
    del state
    gc.collect()  # the copy lies in a cycle with its address
    last = backend.limits.n_slots - 1
    backend.decode([Chunk(last, 0, tokens[: n_batch - 64], sample_last=False)], 2)
    backend.decode([Chunk(last, n_batch - 64, tokens[n_batch - 64 :], sample_last=True, needs_all_logits=True)], 2)


if __name__ == "__main__":
    kind = sys.argv[3]
    assert kind in ("f16", "q8_0", "q4_0")
    main(Path(sys.argv[1]), int(sys.argv[2]), kind)  # type: ignore[arg-type]
