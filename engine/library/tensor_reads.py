"""Calculates how many bytes of each tensor are read to generate one token."""

from __future__ import annotations

import re

from engine.library.gguf_header import GgufHeader

EXPERTS_MARKER = "_exps."

_LOOKED_UP = ("per_layer_token_embd.", "position_embd.")
"""Tables of which a token needs one row. MTP layers can have one too."""

_LAYER = re.compile(r"^blk\.(\d+)\.")


def layer_of(tensor: str) -> int:
    """The layer of a tensor, by its name; -1 for a tensor outside the layers."""
    match = _LAYER.match(tensor)
    return int(match[1]) if match else -1


def tensor_reads(header: GgufHeader, *, of_mtp: bool = False) -> dict[str, float]:
    """Bytes that are read for each token, by the name of the tensor.

    Of a mixture of experts, only the active experts count. The embedding table counts only if it is also the output
    layer: otherwise only one row of it is read. The tensors of MTP layers count only with `of_mtp`, and then no others:
    what they compute for a draft is not part of a step."""
    n_experts, n_used = header.number("expert_count"), header.number("expert_used_count")
    share = n_used / n_experts if 0 < n_used <= n_experts else 1.0
    has_mtp, n_main = header.n_mtp_layers > 0, header.n_main_layers
    has_output = "output.weight" in header.tensor_bytes
    reads: dict[str, float] = {}
    for name, n_bytes in header.tensor_bytes.items():
        is_counted = of_mtp == (has_mtp and layer_of(name) >= n_main)
        is_looked_up = name.startswith(_LOOKED_UP) or name.endswith(".nextn.embed_tokens.weight")
        if not is_counted or is_looked_up or (has_output and name == "token_embd.weight"):
            reads[name] = 0.0
        else:
            reads[name] = n_bytes * share if EXPERTS_MARKER in name else float(n_bytes)
    return reads
