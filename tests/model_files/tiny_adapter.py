"""Writes LoRA adapters for the tiny models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np

from tests.model_files.tiny_models import N_EMBD, N_LAYER

RANK = 4
QUERIES = {f"blk.{at}.attn_q.weight": (N_EMBD, N_EMBD) for at in range(N_LAYER)}
"""The changed matrices of the model with their numbers of rows and columns."""


def write_adapter(
    path: Path,
    architecture: str = "llama",
    tensors: Mapping[str, tuple[int, int]] = QUERIES,
    *,
    kind: str = "lora",
    general_type: str = "adapter",
    alpha: object = 8.0,
    seed: int = 1,
) -> Path:
    """Writes an adapter that changes the matrices `tensors` strongly. The weights depend on `seed`."""
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type(general_type)
    writer.add_string("adapter.type", kind)
    if isinstance(alpha, float):
        writer.add_float32("adapter.lora.alpha", alpha)
    else:
        writer.add_string("adapter.lora.alpha", str(alpha))
    for name, (n_rows, n_columns) in tensors.items():
        writer.add_tensor(f"{name}.lora_a", random.normal(0, 0.3, (RANK, n_columns)).astype(np.float32))
        writer.add_tensor(f"{name}.lora_b", random.normal(0, 0.3, (n_rows, RANK)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
