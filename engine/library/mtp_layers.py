"""The MTP layers (multi-token prediction) of a model file: whether it has them, and whether they can draft tokens.

They are the last layers of a file, which predict the token after the next one from the hidden states of the model.
llama.cpp calls them "nextn". It loads them only on request.
"""

from __future__ import annotations

from dataclasses import replace

from engine.backend import LoadSettings
from engine.errors import Reason
from engine.library.gguf_header import GgufHeader
from engine.library.kv_size import state_bytes
from engine.library.tensor_reads import layer_of, tensor_reads

_OF_ALL = ("nextn.eh_proj", "nextn.enorm", "nextn.hnorm")
_SHARED_EXPERT = ("ffn_gate_inp", "ffn_gate_shexp", "ffn_up_shexp", "ffn_down_shexp")
MTP_TENSORS: dict[str, tuple[str, ...]] = {
    "hy_v3": _OF_ALL,
    "glm4moe": (*_OF_ALL, *_SHARED_EXPERT),
    "deepseek2": (*_OF_ALL, *_SHARED_EXPERT, "attn_q_a", "attn_k_b"),
}
"""The architectures whose MTP layers are used, and tensors that the first MTP layer must have. llama.cpp aborts the
process if one is missing, or if it has no graph for the MTP layers of an architecture."""


def mtp_refusal(header: GgufHeader, settings: LoadSettings) -> str:
    """Why the MTP layers of a model are not used with these settings; "" if they are used, or if it has none."""
    if not header.n_mtp_layers:
        return ""
    if header.architecture not in MTP_TENSORS:
        return Reason("they are not supported for {architecture} models", architecture=header.architecture)
    if header.n_mtp_layers > 1 or header.values.get(f"{header.architecture}.attention.temperature_scale"):
        return "only a single MTP layer of the usual kind is supported"
    names = [f"blk.{header.n_main_layers}.{name}.weight" for name in MTP_TENSORS[header.architecture]]
    if any(name not in header.tensor_bytes for name in names):
        return "the file does not contain their weights"
    if state_bytes(header) or header.number("attention.sliding_window"):
        return "rejected tokens cannot be removed from the memory of this model"
    if not settings.drafts:
        return "draft tokens are turned off"
    if settings.draft_model is not None:
        return "the draft model is used instead"
    return ""


def uses_mtp(header: GgufHeader, settings: LoadSettings) -> bool:
    """Whether the model's MTP layers are loaded, if llama.cpp can."""
    return header.n_mtp_layers > 0 and not mtp_refusal(header, settings)


def loaded_part(header: GgufHeader, settings: LoadSettings) -> GgufHeader:
    """The header without the MTP layers, if they are not loaded."""
    return header if uses_mtp(header, settings) else without_mtp(header)


def without_mtp(header: GgufHeader) -> GgufHeader:
    """The header without the MTP layers."""
    if not header.n_mtp_layers:
        return header
    n_main = header.n_main_layers
    tensors = {name: size for name, size in header.tensor_bytes.items() if layer_of(name) < n_main}
    return replace(header, tensor_bytes=tensors, n_skipped_layers=header.n_mtp_layers)


def mtp_cost(header: GgufHeader) -> float:
    """Assumed time in which the first MTP layer drafts one token, in steps of the model: the share of the weights that
    it reads, with those of the output layer."""
    main = sum(tensor_reads(header).values())
    layer = header.n_main_layers
    n_bytes = sum(size for name, size in tensor_reads(header, of_mtp=True).items() if layer_of(name) == layer)
    own_head = f"blk.{layer}.nextn.shared_head_head.weight"
    output = "output.weight" if "output.weight" in header.tensor_bytes else "token_embd.weight"
    if own_head not in header.tensor_bytes:
        n_bytes += header.tensor_bytes.get(output, 0)
    return n_bytes / max(main, 1.0)
