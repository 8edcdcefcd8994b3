"""Writes model files of a few kilobytes with random weights, using the package gguf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import gguf
import numpy as np

N_EMBD, N_HEAD, N_FF, N_LAYER = 32, 4, 64, 2
WORDS = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁"]


class _Weights:
    """Random weights that are the same in every run."""

    def __init__(self, writer: gguf.GGUFWriter, seed: int) -> None:
        self._writer = writer
        self._random = np.random.default_rng(seed)
        self.of: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = {}

    def add(self, name: str, *shape: int) -> None:
        noise = self._random.standard_normal(shape).astype(np.float32)
        ones = name.endswith("norm.weight")
        self.of[name] = 1 + 0.1 * noise if ones else noise * (0.5 if len(shape) == 1 else shape[-1] ** -0.5)
        self._writer.add_tensor(name, self.of[name])


def write_llama(path: Path, change: Mapping[str, object] | None = None, words: Sequence[str] = WORDS) -> Path:
    """Writes a Llama with two layers, whose tokens are bytes.

    `change` replaces values in the metadata of the model, and `words` replaces the texts of tokens."""
    writer = gguf.GGUFWriter(path, "llama")
    numbers = {
        "llama.context_length": 256, "llama.embedding_length": N_EMBD, "llama.feed_forward_length": N_FF,
        "llama.block_count": N_LAYER, "llama.attention.head_count": N_HEAD, "llama.attention.head_count_kv": 2,
        "llama.rope.dimension_count": N_EMBD // N_HEAD, "llama.vocab_size": len(WORDS),
    }  # fmt: skip
    for key, value in (numbers | dict(change or {})).items():
        if isinstance(value, str):
            writer.add_string(key, value)
        elif isinstance(value, int):
            writer.add_uint32(key, value)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(list(words))
    writer.add_token_scores([0.0] * len(WORDS))
    writer.add_token_types([2, 3, 3, *[6] * 256, 1])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    add_weights(writer, len(WORDS))
    finish(writer)
    return path


def add_weights(writer: gguf.GGUFWriter, n_words: int) -> None:
    """Adds random weights for all layers, and for a vocabulary of `n_words` tokens."""
    weights = _Weights(writer, 1)
    weights.add("token_embd.weight", n_words, N_EMBD)
    weights.add("output_norm.weight", N_EMBD)
    for i in range(N_LAYER):
        weights.add(f"blk.{i}.attn_norm.weight", N_EMBD)
        weights.add(f"blk.{i}.ffn_norm.weight", N_EMBD)
        weights.add(f"blk.{i}.attn_q.weight", N_EMBD, N_EMBD)
        weights.add(f"blk.{i}.attn_k.weight", N_EMBD // 2, N_EMBD)
        weights.add(f"blk.{i}.attn_v.weight", N_EMBD // 2, N_EMBD)
        weights.add(f"blk.{i}.attn_output.weight", N_EMBD, N_EMBD)
        weights.add(f"blk.{i}.ffn_gate.weight", N_FF, N_EMBD)
        weights.add(f"blk.{i}.ffn_up.weight", N_FF, N_EMBD)
        weights.add(f"blk.{i}.ffn_down.weight", N_EMBD, N_FF)


def finish(writer: gguf.GGUFWriter) -> None:
    """Writes the model file and closes the writer."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
