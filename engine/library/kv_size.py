"""Calculates the size of a model's KV cache and recurrent states from its header.

Based on llama.cpp's llama-kv-cache.cpp and llama-memory-recurrent.cpp.
"""

from __future__ import annotations

from engine.backend import KvType
from engine.library.gguf_header import GgufHeader

BYTES_PER_32: dict[KvType, int] = {"f16": 64, "q8_0": 34, "q4_0": 18}

_F32 = 4


def head_sizes(header: GgufHeader) -> tuple[int, int]:
    """Returns two numbers for one attention head: the elements of a key, and the elements of a value."""
    width = header.number("embedding_length") // max(1, max(_heads(header), default=1))
    key = header.number("attention.key_length", width)
    value = header.number("attention.value_length", width)
    return key, value


def cell_bytes(header: GgufHeader, kv_type_k: KvType, kv_type_v: KvType) -> int:
    """The bytes in the KV cache for one token of the context."""
    return sum(layer_cell_bytes(header, kv_type_k, kv_type_v))


def layer_cell_bytes(header: GgufHeader, kv_type_k: KvType, kv_type_v: KvType) -> tuple[int, ...]:
    """The bytes in the KV cache for one token of the context, for each layer; 0 for layers that are not loaded."""
    key, value = head_sizes(header)
    if "bert" in header.architecture or header.values.get(f"{header.architecture}.attention.causal") is False:
        return (0,) * header.number("block_count")
    if _is_latent(header):  # the cache holds one compressed key, which also serves as the value
        value = 0
    head_bytes = key * BYTES_PER_32[kv_type_k] + value * BYTES_PER_32[kv_type_v]
    sizes = tuple(n_heads * head_bytes // 32 for n_heads in _kv_heads(header))
    return sizes[: len(sizes) - header.n_skipped_layers] + (0,) * header.n_skipped_layers


def state_bytes(header: GgufHeader) -> int:
    """The bytes of the recurrent states that one sequence needs, over all layers."""
    return sum(layer_state_bytes(header))


def layer_state_bytes(header: GgufHeader) -> tuple[int, ...]:
    """The bytes of the recurrent state that one sequence needs, for each layer."""
    layer = _layer_state(header) * _F32
    heads = _kv_heads(header)[: header.n_main_layers]
    return tuple(layer if not n or _has_both(header) else 0 for n in heads) + (0,) * header.n_mtp_layers


def _layer_state(header: GgufHeader) -> int:
    """The number of elements in the recurrent state of one layer, for convolution and recurrence together."""
    n_embd = header.number("embedding_length")
    if head_size := header.number("wkv.head_size"):
        return n_embd * header.number("token_shift_count", 2) + n_embd * head_size
    if n_short := header.number("shortconv.l_cache"):
        return n_embd * (n_short - 1)
    if head_dim := header.number("kda.head_dim"):
        n_inner = max(_heads(header), default=1) * head_dim
        return 3 * (max(1, header.number("ssm.conv_kernel")) - 1) * n_inner + head_dim * n_inner
    n_inner, n_state = header.number("ssm.inner_size"), header.number("ssm.state_size")
    n_conv = max(0, header.number("ssm.conv_kernel") - 1)
    return n_conv * (n_inner + 2 * header.number("ssm.group_count") * n_state) + n_state * n_inner


def _heads(header: GgufHeader) -> tuple[int, ...]:
    return header.per_layer("attention.head_count", header.number("block_count"))


def _kv_heads(header: GgufHeader) -> tuple[int, ...]:
    """The number of KV heads of each layer; 0 for layers without a KV cache."""
    n_layers = header.number("block_count")
    n_default = max(_heads(header), default=0)
    heads = header.per_layer("attention.head_count_kv", n_layers, n_default)
    if header.architecture.startswith(("mamba", "rwkv", "arwkv")):
        return (0,) * n_layers
    if _is_latent(header):
        heads = tuple(min(n, 1) for n in heads)
    if header.number("ssm.inner_size") and (every := _full_attention_interval(header)):
        n_main = header.n_main_layers
        heads = tuple(n if (i + 1) % every == 0 or i >= n_main else 0 for i, n in enumerate(heads))
    n_shared = header.number("attention.shared_kv_layers")  # the last layers reuse the KV cache of earlier layers
    return heads[: n_layers - n_shared] + (0,) * n_shared


def _full_attention_interval(header: GgufHeader) -> int:
    hybrid = header.architecture.startswith(("qwen3next", "qwen35"))
    return header.number("full_attention_interval", 4 if hybrid else 0)


def _is_latent(header: GgufHeader) -> bool:
    return bool(header.number("attention.key_length_mla"))


def _has_both(header: GgufHeader) -> bool:
    """Whether each layer has both a recurrent state and a KV cache."""
    return header.architecture == "falcon-h1"
