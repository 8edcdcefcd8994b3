"""Tiny models with random weights, one for each kind of memory in llama.cpp (KV cache or recurrent state).

Their tokens are bytes, and they generate only letters. The seed of the weights is fixed. Each generated token depends
on text far back, so the answer changes if a cell of the memory is wrong or missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

N_EMBD, N_HEAD, N_FF, N_LAYER = 32, 2, 48, 3
N_HEAD_DIM = N_EMBD // N_HEAD
WINDOW = 24
"""Size of the sliding window in tokens."""

N_CTX_TRAIN = 4096
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
VOCABULARY = ["<unk>", "<s>", "</s>", *BYTES, "\N{LOWER ONE EIGHTH BLOCK}"]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,"
"""The only characters that the models generate. Each is one token, so tokenizing an answer gives its original tokens.
"""

Tensors = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class TinyModel:
    """A tiny model. `build` adds its layers; `supports_truncation` and `window` describe its KV cache or recurrent
    state."""

    name: str
    architecture: str
    metadata: dict[str, Any]
    build: Callable[[_Weights], None]
    supports_truncation: bool = True
    window: int = 0

    def write(self, path: Path) -> Path:
        """Writes the model file, whose size is a few hundred kilobytes."""
        weights = _Weights(np.random.default_rng(7))
        weights.matrix("token_embd", len(VOCABULARY), N_EMBD, 3.0)
        weights.ones("output_norm", N_EMBD)
        weights.tensors["output.weight"] = _readout(weights)
        self.build(weights)
        writer = gguf.GGUFWriter(path, self.architecture)
        writer.add_name(f"Tiny {self.name}")
        for key, value in {**_SIZES, **self.metadata}.items():
            add_value(writer, f"{self.architecture}.{key}", value)
        add_vocabulary(writer)
        for name, tensor in weights.tensors.items():
            writer.add_tensor(name, tensor)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path


@dataclass(slots=True)
class _Weights:
    """The tensors of a model by name. The first number of a shape is the number of rows: a matrix with `n_out` rows
    maps `n_in` numbers to `n_out` numbers."""

    random: np.random.Generator
    tensors: Tensors = field(default_factory=dict)

    def matrix(self, name: str, n_out: int, n_in: int, gain: float) -> None:
        self.plain(f"{name}.weight", self.random.normal(0.0, gain / np.sqrt(n_in), (n_out, n_in)))

    def ones(self, name: str, n: int) -> None:
        self.plain(f"{name}.weight", np.ones(n))

    def plain(self, name: str, values: npt.NDArray[np.float64]) -> None:
        self.tensors[name] = values.astype(np.float32)


def _attention(weights: _Weights, block: str) -> None:
    """Adds an attention layer with sharp attention. Therefore a few tokens anywhere in the text determine the
    output."""
    weights.matrix(f"{block}.attn_q", N_EMBD, N_EMBD, 1.6)
    weights.matrix(f"{block}.attn_k", N_EMBD, N_EMBD, 1.6)
    weights.matrix(f"{block}.attn_v", N_EMBD, N_EMBD, 1.0)
    weights.matrix(f"{block}.attn_output", N_EMBD, N_EMBD, 1.5)


def _feed_forward(weights: _Weights, block: str) -> None:
    weights.matrix(f"{block}.ffn_gate", N_FF, N_EMBD, 1.5)
    weights.matrix(f"{block}.ffn_up", N_FF, N_EMBD, 1.5)
    weights.matrix(f"{block}.ffn_down", N_EMBD, N_FF, 1.5)


def _state_space(weights: _Weights, block: str) -> None:
    """Adds a Mamba layer whose state decays slowly."""
    n_inner, n_state, n_conv, n_step = 2 * N_EMBD, 8, 4, 4
    weights.matrix(f"{block}.ssm_in", 2 * n_inner, N_EMBD, 2.0)
    weights.matrix(f"{block}.ssm_conv1d", n_inner, n_conv, 1.0)
    weights.plain(f"{block}.ssm_conv1d.bias", weights.random.normal(0.0, 0.1, n_inner))
    weights.matrix(f"{block}.ssm_x", n_step + 2 * n_state, n_inner, 2.0)
    weights.matrix(f"{block}.ssm_dt", n_inner, n_step, 0.5)
    weights.plain(f"{block}.ssm_dt.bias", weights.random.normal(0.0, 0.2, n_inner))
    weights.plain(f"{block}.ssm_a", -weights.random.uniform(0.005, 0.1, (n_inner, n_state)))
    weights.plain(f"{block}.ssm_d", weights.random.normal(0.0, 0.5, n_inner))
    weights.matrix(f"{block}.ssm_out", N_EMBD, n_inner, 1.5)


def _plain(weights: _Weights) -> None:
    for block in _blocks(weights, "attn_norm", "ffn_norm"):
        _attention(weights, block)
        _feed_forward(weights, block)


def _gemma(weights: _Weights) -> None:
    for block in _blocks(weights, "attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm"):
        _attention(weights, block)
        _feed_forward(weights, block)
        for norm in ("attn_q_norm", "attn_k_norm"):
            weights.plain(f"{block}.{norm}.weight", np.full(N_HEAD_DIM, 1.6))


def _gpt_oss(weights: _Weights) -> None:
    """Adds the layers of a gpt-oss model with two experts, which are both used for every token. A choice between
    experts could depend on rounding."""
    for block in _blocks(weights, "attn_norm", "post_attention_norm"):
        _attention(weights, block)
        weights.plain(f"{block}.attn_output.bias", np.zeros(N_EMBD))
        weights.plain(f"{block}.attn_sinks.weight", weights.random.normal(0.0, 1.0, N_HEAD))
        weights.matrix(f"{block}.ffn_gate_inp", 2, N_EMBD, 1.0)
        weights.plain(f"{block}.ffn_gate_inp.bias", np.zeros(2))
        for name, n_out, n_in in (("gate", N_FF, N_EMBD), ("up", N_FF, N_EMBD), ("down", N_EMBD, N_FF)):
            scale = 1.5 / np.sqrt(n_in)
            weights.plain(f"{block}.ffn_{name}_exps.weight", weights.random.normal(0.0, scale, (2, n_out, n_in)))
            weights.plain(f"{block}.ffn_{name}_exps.bias", np.zeros((2, n_out)))


def _mamba(weights: _Weights) -> None:
    for block in _blocks(weights, "attn_norm"):
        _state_space(weights, block)


def _jamba(weights: _Weights) -> None:
    """Adds the layers of a Jamba model: the middle layer is attention, and the other layers are Mamba."""
    for at, block in enumerate(_blocks(weights, "attn_norm", "ffn_norm")):
        if at == 1:
            _attention(weights, block)
        else:
            _state_space(weights, block)
            for norm, n in (("ssm_dt_norm", 4), ("ssm_b_norm", 8), ("ssm_c_norm", 8)):
                weights.ones(f"{block}.{norm}", n)
        _feed_forward(weights, block)


def _blocks(weights: _Weights, *norms: str) -> list[str]:
    blocks = [f"blk.{at}" for at in range(N_LAYER)]
    for block in blocks:
        for norm in norms:
            weights.ones(f"{block}.{norm}", N_EMBD)
    return blocks


def _readout(weights: _Weights) -> npt.NDArray[np.float32]:
    """The output matrix. The logits of all tokens that are not letters are 0, so that such a token is never the
    likeliest one."""
    output = np.zeros((len(VOCABULARY), N_EMBD), np.float32)
    letters = [VOCABULARY.index(token_of(letter)) for letter in LETTERS]
    output[letters] = weights.random.normal(0.0, 1.0, (len(letters), N_EMBD))
    return output


def token_of(letter: str) -> str:
    return VOCABULARY[-1] if letter == " " else BYTES[ord(letter)]


def add_value(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    match value:
        case int():
            writer.add_uint32(key, value)
        case float():
            writer.add_float32(key, value)
        case _:
            writer.add_array(key, value)


def add_vocabulary(writer: gguf.GGUFWriter) -> None:
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    kinds += [gguf.TokenType.BYTE] * 256 + [gguf.TokenType.NORMAL]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(VOCABULARY)
    writer.add_token_scores([0.0] * len(VOCABULARY))
    writer.add_token_types(kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(False)


_SIZES: dict[str, Any] = {
    "context_length": N_CTX_TRAIN,
    "embedding_length": N_EMBD,
    "block_count": N_LAYER,
    "feed_forward_length": N_FF,
    "attention.head_count": N_HEAD,
    "attention.head_count_kv": N_HEAD,
    "attention.layer_norm_rms_epsilon": 1e-5,
}
_STATE_SPACE = {"ssm.conv_kernel": 4, "ssm.inner_size": 2 * N_EMBD, "ssm.state_size": 8, "ssm.time_step_rank": 4}
_WINDOWED = {"attention.sliding_window": WINDOW, "attention.sliding_window_pattern": 2}
_ONE_ATTENDS = {"attention.head_count_kv": [0, N_HEAD, 0]}

TINY_MODELS = {
    model.name: model
    for model in (
        TinyModel("plain", "llama", {}, _plain),
        TinyModel("gemma3", "gemma3", _WINDOWED, _gemma, window=WINDOW),
        TinyModel(
            "gpt-oss",
            "gpt-oss",
            {**_WINDOWED, "expert_count": 2, "expert_used_count": 2, "expert_feed_forward_length": N_FF},
            _gpt_oss,
            window=WINDOW,
        ),
        TinyModel("mamba", "mamba", {**_STATE_SPACE, "attention.head_count": 0}, _mamba, supports_truncation=False),
        TinyModel("jamba", "jamba", {**_STATE_SPACE, **_ONE_ATTENDS}, _jamba, supports_truncation=False),
    )
}
