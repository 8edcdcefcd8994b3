"""Calculates how many bytes of each tensor are read to generate one token."""

from __future__ import annotations

from engine.library.gguf_header import GgufHeader

EXPERTS_MARKER = "_exps."

_LOOKED_UP = ("per_layer_token_embd.", "position_embd.")
"""Tables of which a token needs one row."""


def tensor_reads(header: GgufHeader) -> dict[str, float]:
    """Bytes that are read for each token, by the name of the tensor.

    Of a mixture of experts, only the active experts count. The embedding table counts only if it is also the output
    layer: otherwise only one row of it is read."""
    n_experts, n_used = header.number("expert_count"), header.number("expert_used_count")
    share = n_used / n_experts if 0 < n_used <= n_experts else 1.0
    has_output = "output.weight" in header.tensor_bytes
    reads: dict[str, float] = {}
    for name, n_bytes in header.tensor_bytes.items():
        if name.startswith(_LOOKED_UP) or (has_output and name == "token_embd.weight"):
            reads[name] = 0.0
        else:
            reads[name] = n_bytes * share if EXPERTS_MARKER in name else float(n_bytes)
    return reads
