"""Tiny models with an MTP layer (multi-token prediction).

Each token determines the next one: the next letter of a fixed cycle through all letters. The MTP layer predicts from
the hidden state alone, and ignores the token beside it. So its drafts are right only if it gets the hidden state of the
right token."""

from __future__ import annotations

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
        tensors |= {f"blk.{layer}.{name}": values for name, values in _layer(random).items()}
    head = {
        "eh_proj": np.concatenate([np.zeros((N_EMBD, N_EMBD)), _map(embedding[letters], embedding[predicted])], axis=1),
        **{name: np.ones(N_EMBD) for name in ("enorm", "hnorm", "shared_head_norm")},
    }
    tensors |= {f"blk.{N_MAIN}.nextn.{name}": values for name, values in head.items()}
    _write(path, architecture, tensors)
    return path


def _layer(random: np.random.Generator) -> dict[str, Matrix]:
    """A layer that adds nothing to its input."""
    layer = {f"attn_{name}": random.normal(0.0, 0.1, (N_EMBD, N_EMBD)) for name in "qkv"}
    layer |= {f"ffn_{name}": random.normal(0.0, 0.1, (N_FF, N_EMBD)) for name in ("gate", "up")}
    layer |= {"attn_output": np.zeros((N_EMBD, N_EMBD)), "ffn_down": np.zeros((N_EMBD, N_FF))}
    layer |= {name: np.ones(N_EMBD) for name in ("attn_norm", "ffn_norm")}
    return layer | {name: np.ones(N_EMBD // N_HEAD) for name in ("attn_q_norm", "attn_k_norm")}


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
    for key, value in sizes.items():
        add_value(writer, f"{architecture}.{key}", value)
    add_vocabulary(writer)
    for name, values in tensors.items():
        writer.add_tensor(f"{name}.weight", values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
