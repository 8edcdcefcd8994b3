"""Checks, before llama.cpp reads a LoRA adapter, whether it fits the model."""

from __future__ import annotations

from collections.abc import Sequence

from engine.adapter import Adapter
from engine.errors import InvalidSettings, Reason
from engine.files.display_name import display_name
from engine.library.gguf_header import GgufHeader, read_header

MAX_ADAPTERS = 16
MAX_SCALE = 100.0
"""Limit for the absolute value of a scale. Useful ones are between 0 and 2."""

INVOCATION_TOKENS = "adapter.alora.invocation_tokens"
_SUFFIXES = (".lora_a", ".lora_b")


def check_adapters(adapters: Sequence[Adapter], model: GgufHeader) -> int:
    """Returns the size of the adapters' tensors in bytes. Raises InvalidSettings if an adapter does not fit the model,
    and ModelFileError if its file cannot be read or is damaged."""
    if len(adapters) > MAX_ADAPTERS:
        raise InvalidSettings("adapters", Reason("there are more than {n}", n=MAX_ADAPTERS))
    return sum(_check(adapter, model) for adapter in adapters)


def is_scale(value: float) -> bool:
    """Whether an adapter can be applied with this scale. False for NaN."""
    return abs(value) <= MAX_SCALE


def _check(adapter: Adapter, model: GgufHeader) -> int:
    name = display_name(adapter.path.name)
    if not is_scale(adapter.scale):
        raise InvalidSettings("adapters", Reason("the scale of {name} is out of range", name=name))
    header = read_header(adapter.path)
    if header.values.get("general.type") != "adapter":
        raise InvalidSettings("adapters", Reason("{name} is not an adapter", name=name))
    kind = str(header.values.get("adapter.type", ""))
    if kind != "lora" or INVOCATION_TOKENS in header.values:
        kind = "alora" if kind == "lora" else kind
        raise InvalidSettings("adapters", Reason("{name} is of the kind {kind}, not lora", name=name, kind=kind))
    if header.architecture != model.architecture:
        values = {"name": name, "kind": header.architecture, "model": model.architecture}
        raise InvalidSettings("adapters", Reason("{name} is for {kind} models, the model is {model}", **values))
    for tensor in header.tensor_bytes:
        base = tensor.removesuffix(_SUFFIXES[0]).removesuffix(_SUFFIXES[1])
        if base != tensor and base not in model.tensor_bytes:
            raise InvalidSettings(
                "adapters", Reason("{name} changes {tensor}, which the model does not have", name=name, tensor=base)
            )
    return sum(header.tensor_bytes.values())
