"""A header like that of a model of which only the size is known, so that its layers can be placed."""

from __future__ import annotations

from engine.library.gguf_header import GgufHeader

N_LAYERS = 32

_ARCHITECTURE = "llama"
_KEYS = 2 * 2  # keys and values, each with two bytes per number


def assumed_header(size_bytes: int, cell_size: float, active_share: float) -> GgufHeader:
    """A model of `size_bytes` with equal layers. `cell_size`: KV bytes per token. `active_share`: the share of its
    weights that is read for each token; if it is below 1, most weights are experts."""
    used = active_share / 2 / (1 - active_share / 2)
    experts = round(size_bytes * (1 - active_share / 2) / N_LAYERS) if active_share < 1 else 0
    dense = size_bytes // N_LAYERS - experts
    tensors = {f"blk.{i}.attn_q.weight": dense for i in range(N_LAYERS)}
    if experts:
        tensors |= {f"blk.{i}.ffn_up_exps.weight": experts for i in range(N_LAYERS)}
    head = max(1, round(cell_size / N_LAYERS / _KEYS))
    values: dict[str, int | str] = {
        "block_count": N_LAYERS,
        "attention.head_count": 1,
        "attention.head_count_kv": 1,
        "attention.key_length": head,
        "attention.value_length": head,
        "expert_count": 10_000 if experts else 0,
        "expert_used_count": max(1, round(10_000 * used)) if experts else 0,
    }
    named = {f"{_ARCHITECTURE}.{key}": value for key, value in values.items()}
    # A small tensor of its own, because a model without output layer would keep its embedding table on the card too.
    return GgufHeader({"general.architecture": _ARCHITECTURE, **named}, tensors | {"output.weight": 0})
