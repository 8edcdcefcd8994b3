"""A BERT with two layers of random weights, as a GGUF file and as a computation in numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

N_EMBD, N_HEAD, N_FF, N_LAYER, N_CTX = 32, 4, 64, 2, 64
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"\u2581{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
POOLINGS = {"mean": 1, "cls": 2, "last": 3, "rank": 4}

Array = npt.NDArray[np.floating[Any]]


class TinyBert:
    """A tiny BERT. `write` writes its model file, and `forward` computes in numpy what llama.cpp should return."""

    def __init__(self, seed: int = 7) -> None:
        random = np.random.default_rng(seed)

        def noise(*shape: int) -> Array:
            return (random.standard_normal(shape) * 0.3).astype(np.float32)

        self.weights: dict[str, Array] = {
            "token_embd.weight": noise(len(WORDS), N_EMBD),
            "position_embd.weight": noise(N_CTX, N_EMBD),
            "token_types.weight": noise(2, N_EMBD),
            "token_embd_norm.weight": 1 + noise(N_EMBD),
            "token_embd_norm.bias": noise(N_EMBD),
        }
        for i in range(N_LAYER):
            for name, rows, columns in (
                ("attn_q", N_EMBD, N_EMBD),
                ("attn_k", N_EMBD, N_EMBD),
                ("attn_v", N_EMBD, N_EMBD),
                ("attn_output", N_EMBD, N_EMBD),
                ("ffn_up", N_FF, N_EMBD),
                ("ffn_down", N_EMBD, N_FF),
            ):
                self.weights[f"blk.{i}.{name}.weight"] = noise(rows, columns)
                self.weights[f"blk.{i}.{name}.bias"] = noise(rows)
            for name in ("attn_output_norm", "layer_output_norm"):
                self.weights[f"blk.{i}.{name}.weight"] = 1 + noise(N_EMBD)
                self.weights[f"blk.{i}.{name}.bias"] = noise(N_EMBD)

        self.head = {
            "cls.weight": noise(N_EMBD, N_EMBD),
            "cls.bias": noise(N_EMBD),
            "cls.output.weight": noise(1, N_EMBD),
            "cls.output.bias": noise(1),
        }

    def write(self, path: Path, pooling: str = "mean") -> Path:
        writer = gguf.GGUFWriter(path, "bert")
        writer.add_context_length(N_CTX)
        writer.add_embedding_length(N_EMBD)
        writer.add_feed_forward_length(N_FF)
        writer.add_block_count(N_LAYER)
        writer.add_head_count(N_HEAD)
        writer.add_layer_norm_eps(1e-12)
        writer.add_causal_attention(False)
        writer.add_uint32("bert.pooling_type", POOLINGS[pooling])
        writer.add_tokenizer_model("bert")
        writer.add_token_list(WORDS)
        writer.add_token_types([3, 3, 3, 3, *[1] * 26])
        writer.add_token_type_count(2)
        for name, token in (("padding", 0), ("unknown", 1), ("cls", 2), ("bos", 2), ("seperator", 3), ("eos", 3)):
            writer.add_uint32(f"tokenizer.ggml.{name}_token_id", token)
        for name, weight in {**self.weights, **(self.head if pooling == "rank" else {})}.items():
            writer.add_tensor(name, weight.astype(np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    def forward(self, tokens: list[int]) -> Array:
        """The output of the last layer, with one row for each token."""
        w = self.weights
        x = w["token_embd.weight"][tokens] + w["position_embd.weight"][: len(tokens)] + w["token_types.weight"][0]
        x = self._norm("token_embd_norm", x)
        for i in range(N_LAYER):
            heads = [
                self._linear(f"blk.{i}.attn_{name}", x).reshape(len(tokens), N_HEAD, -1).swapaxes(0, 1)
                for name in "qkv"
            ]
            scores = heads[0] @ heads[1].swapaxes(1, 2) / np.sqrt(N_EMBD // N_HEAD)
            shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
            mixed = (shares / shares.sum(axis=-1, keepdims=True) @ heads[2]).swapaxes(0, 1).reshape(len(tokens), N_EMBD)
            x = self._norm(f"blk.{i}.attn_output_norm", x + self._linear(f"blk.{i}.attn_output", mixed))
            wide = self._linear(f"blk.{i}.ffn_up", x)
            bent = 0.5 * wide * (1 + np.tanh(0.7978845608 * (wide + 0.044715 * wide**3)))
            x = self._norm(f"blk.{i}.layer_output_norm", x + self._linear(f"blk.{i}.ffn_down", bent))
        return x

    def score(self, tokens: list[int]) -> float:
        """The output of the ranking head for the first token."""
        first = self.forward(tokens)[0]
        hidden = np.tanh(self.head["cls.weight"] @ first + self.head["cls.bias"])
        return float((self.head["cls.output.weight"] @ hidden + self.head["cls.output.bias"])[0])

    def _linear(self, name: str, x: Array) -> Array:
        product: Array = x @ self.weights[f"{name}.weight"].T
        return product + self.weights[f"{name}.bias"]

    def _norm(self, name: str, x: Array) -> Array:
        flat = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-12)
        scaled: Array = flat * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
        return scaled
