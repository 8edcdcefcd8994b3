"""Writes model files of any size with the package gguf. They are sparse files: the weights use no disk space."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np


def write_sparse(
    path: Path, *, n_bytes: int, n_layers: int = 28, n_embd: int = 2048, n_ctx: int = 32_768, file_type: int = 15
) -> Path:
    """Writes a Llama with about `n_bytes` of four-bit weights and eight KV heads per layer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(n_ctx)
    writer.add_embedding_length(n_embd)
    writer.add_block_count(n_layers)
    writer.add_feed_forward_length(4 * n_embd)
    writer.add_head_count(n_embd // 128)
    writer.add_head_count_kv(8)
    writer.add_file_type(file_type)
    writer.add_token_list([f"t{n}" for n in range(1000)])
    n_each = n_bytes // n_layers // 144 * 144
    for layer in range(n_layers):
        writer.add_tensor_info(
            f"blk.{layer}.weight", [n_each // 144, 144], np.dtype(np.uint8), n_each, gguf.GGMLQuantizationType.Q4_K
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with path.open("r+b") as file:
        file.truncate(n_bytes + (2 << 20))
    return path
