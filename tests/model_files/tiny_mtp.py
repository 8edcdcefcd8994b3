"""Tiny models with an MTP layer (multi-token prediction).

Each token determines the next one: the next letter of a fixed cycle through all letters. The MTP layer predicts from
the hidden state alone, and ignores the token beside it. So its drafts are right only if it gets the hidden state of the
right token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from tests.model_files.tiny_models import LETTERS, VOCABULARY, add_value, add_vocabulary, token_of

N_EMBD, N_HEAD, N_FF, N_MAIN = 96, 2, 64, 24
"""With this number of layers, a token of the MTP layer takes a small part of a step's time."""

_RANDOM = np.random.default_rng(3)
CYCLE = "".join(_RANDOM.permutation(list(LETTERS)))
"""The order in which the model generates letters, again and again."""

Matrix = npt.NDArray[np.float64]


def continuation(prompt: str, n: int) -> str:
    """What the models generate after a prompt that ends with a letter."""
    at = CYCLE.index(prompt[-1]) + 1
    return "".join(CYCLE[(at + i) % len(CYCLE)] for i in range(n))


def write_mtp_model(path: Path, *, is_useful: bool = True, architecture: str = "hy_v3") -> Path:
    """Writes a model file. Unless `is_useful`, its MTP layer predicts wrong letters."""
    random = np.random.default_rng(5)
    embedding = random.normal(0.0, 1.0, (len(VOCABULARY), N_EMBD))
    embedding /= np.sqrt((embedding**2).mean(axis=1, keepdims=True))
    letters = [VOCABULARY.index(token_of(letter)) for letter in CYCLE]
    following = np.roll(letters, -1)
    output = np.zeros_like(embedding)
    output[following] = embedding[letters] / np.sqrt(N_EMBD)
    predicted = following if is_useful else np.roll(letters, 7)
    tensors = {"token_embd": embedding, "output": output, "output_norm": np.ones(N_EMBD)}
    for layer in range(N_MAIN + 1):
        tensors |= {f"blk.{layer}.{name}": values for name, values in LAYERS[architecture](random).items()}
    head = {
        "eh_proj": np.concatenate([np.zeros((N_EMBD, N_EMBD)), _map(embedding[letters], embedding[predicted])], axis=1),
        **{name: np.ones(N_EMBD) for name in ("enorm", "hnorm", "shared_head_norm")},
    }
    tensors |= {f"blk.{N_MAIN}.nextn.{name}": values for name, values in head.items()}
    _write(path, architecture, tensors)
    return path


def _hy_v3(random: np.random.Generator) -> Tensors:
    layer = {f"ffn_{name}": random.normal(0.0, 0.1, (N_FF, N_EMBD)) for name in ("gate", "up")}
    return _attention(random) | layer | {"ffn_down": np.zeros((N_EMBD, N_FF)), "ffn_norm": np.ones(N_EMBD)}


def _glm4moe(random: np.random.Generator) -> Tensors:
    return _attention(random) | _experts(random) | {"post_attention_norm": np.ones(N_EMBD)}


def _deepseek2(random: np.random.Generator) -> Tensors:
    """A layer with latent attention: ranks of 32, and a head has 32 numbers without and 16 with rotary positions."""
    layer = {
        "attn_q_a": random.normal(0.0, 0.1, (32, N_EMBD)),
        "attn_q_b": random.normal(0.0, 0.1, (N_HEAD * 48, 32)),
        "attn_kv_a_mqa": random.normal(0.0, 0.1, (48, N_EMBD)),
        "attn_k_b": random.normal(0.0, 0.1, (N_HEAD, 32, 32)),
        "attn_v_b": random.normal(0.0, 0.1, (N_HEAD, 32, 32)),
        "attn_output": np.zeros((N_EMBD, N_HEAD * 32)),
    }
    norms = {"attn_norm": N_EMBD, "ffn_norm": N_EMBD, "attn_q_a_norm": 32, "attn_kv_a_norm": 32}
    return layer | _experts(random) | {name: np.ones(n) for name, n in norms.items()}


def _attention(random: np.random.Generator) -> Tensors:
    layer = {f"attn_{name}": random.normal(0.0, 0.1, (N_EMBD, N_EMBD)) for name in "qkv"}
    norms = {"attn_norm": N_EMBD, "attn_q_norm": N_EMBD // N_HEAD, "attn_k_norm": N_EMBD // N_HEAD}
    return layer | {"attn_output": np.zeros((N_EMBD, N_EMBD))} | {name: np.ones(n) for name, n in norms.items()}


def _experts(random: np.random.Generator) -> Tensors:
    """Two experts, which are both used, and a shared one."""
    layer = {"ffn_gate_inp": random.normal(0.0, 0.1, (2, N_EMBD)), "exp_probs_b.bias": np.zeros(2)}
    for kind, shape in (("exps", (2,)), ("shexp", ())):
        layer |= {f"ffn_{name}_{kind}": random.normal(0.0, 0.1, (*shape, N_FF, N_EMBD)) for name in ("gate", "up")}
        layer[f"ffn_down_{kind}"] = np.zeros((*shape, N_EMBD, N_FF))
    return layer


Tensors = dict[str, Matrix]
LAYERS: dict[str, Callable[[np.random.Generator], Tensors]] = {
    "hy_v3": _hy_v3,
    "glm4moe": _glm4moe,
    "deepseek2": _deepseek2,
}
"""The layers of each architecture. They add nothing to their input."""

EXPERTS = {"expert_count": 2, "expert_used_count": 2, "expert_shared_count": 1}
LATENT = {
    "attention.q_lora_rank": 32,
    "attention.kv_lora_rank": 32,
    "attention.key_length_mla": 48,
    "attention.value_length_mla": 32,
    "attention.key_length": 48,
    "attention.value_length": 32,
    "attention.head_count_kv": 1,
    "rope.dimension_count": 16,
}
SIZES: dict[str, dict[str, int]] = {"hy_v3": {}, "glm4moe": EXPERTS, "deepseek2": EXPERTS | LATENT}
"""The metadata of each architecture in addition to that of all."""


def _map(inputs: Matrix, outputs: Matrix) -> Matrix:
    """The matrix that maps each row of `inputs` to the same row of `outputs`."""
    return np.asarray(np.linalg.lstsq(inputs, outputs, rcond=None)[0].T, np.float64)


def _write(path: Path, architecture: str, tensors: dict[str, Matrix]) -> None:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("Tiny MTP")
    sizes = {
        "context_length": 4096,
        "embedding_length": N_EMBD,
        "block_count": N_MAIN + 1,
        "nextn_predict_layers": 1,
        "feed_forward_length": N_FF,
        "expert_feed_forward_length": N_FF,
        "attention.head_count": N_HEAD,
        "attention.head_count_kv": N_HEAD,
        "attention.key_length": N_EMBD // N_HEAD,
        "attention.value_length": N_EMBD // N_HEAD,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "rope.dimension_count": N_EMBD // N_HEAD,
    }
    for key, value in {**sizes, **SIZES[architecture]}.items():
        add_value(writer, f"{architecture}.{key}", value)
    add_vocabulary(writer)
    for name, values in tensors.items():
        full_name = name if name.endswith(".bias") else f"{name}.weight"
        writer.add_tensor(full_name, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
