"""`library.scan` and `library.rescan`: the time to list 2,000 GGUF files in 50 folders, for the first time and again.

The files have tensors, metadata and vocabularies as large as those of real models. They are hard links to only six
files. This does not affect the result: 2,000 separate files would be in the page cache too, since they would have been
written recently."""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path

import gguf
import numpy as np

from engine.library.model_scan import Scan, scan
from engine.library.model_scan_cache import ModelScanCache
from tests.bench.figure import Figure

N_FOLDERS, N_FILES = 50, 40
VOCABULARIES = (32_000, 49_152, 65_024, 100_008, 128_256, 151_936)
"""The vocabulary sizes of six model families. The number of merges is nearly the same as the vocabulary size."""

N_LAYERS, N_EMBD, N_FF = 30, 64, 128


def measure() -> tuple[Figure, Figure]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "models"
        _fill(root)
        first_s, found = _scan(root, Path(folder) / "library.json")
        again_s, same = _scan(root, Path(folder) / "library.json")
    assert len(found.models) == N_FOLDERS * N_FILES
    assert found == same
    assert all(model.metadata is not None and model.metadata.n_ctx_train == 8192 for model in found.models)
    against = f"2,000 files in 50 folders, {len(VOCABULARIES)} vocabularies of 32,000 to 152,000 tokens"
    return Figure("library.scan", first_s, 5.0, "s", against), Figure("library.rescan", again_s, 0.3, "s", against)


def _scan(root: Path, file: Path) -> tuple[float, Scan]:
    """Scans as the app does: the cache file is read and written too. Returns the seconds and the result."""
    started = time.perf_counter()
    cache = ModelScanCache(file)
    cache.load()
    found = scan([root], cache)
    cache.save()
    return time.perf_counter() - started, found


def _fill(root: Path) -> None:
    root.mkdir()
    originals = [_write(root / f"original-{n_tokens}.gguf", n_tokens) for n_tokens in VOCABULARIES]
    for number in range(N_FOLDERS):
        folder = root / f"folder {number:02}"
        folder.mkdir()
        for n in range(N_FILES):
            os.link(originals[(number + n) % len(originals)], folder / f"Model-{number}-{n}-Q4_K_M.gguf")
    for original in originals:
        original.unlink()


def _write(path: Path, n_tokens: int) -> Path:
    rng = random.Random(n_tokens)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(n_tokens)]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(8192)
    writer.add_embedding_length(N_EMBD)
    writer.add_block_count(N_LAYERS)
    writer.add_feed_forward_length(N_FF)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_file_type(15)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_types([1] * n_tokens)
    writer.add_token_merges([f"{word[:1]} {word[1:]}" for word in words[:-300]])
    writer.add_chat_template("{% for message in messages %}{{ message.content }}{% endfor %}" * 40)
    for block in range(N_LAYERS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            writer.add_tensor(f"blk.{block}.{name}.weight", np.zeros((N_EMBD, N_EMBD), np.float32))
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{block}.{name}.weight", np.zeros(N_EMBD, np.float32))
    writer.add_tensor("token_embd.weight", np.zeros((1024, N_EMBD), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
