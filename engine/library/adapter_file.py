"""Checks, before llama.cpp reads a LoRA adapter, whether it fits the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.adapter import Adapter
from engine.errors import AdapterError, InvalidSettings, ModelFileError, Reason
from engine.library.gguf_header import GgufHeader, read_header

MAX_ADAPTERS = 16
MAX_SCALE = 100.0
"""Limit for the absolute value of a scale. Useful ones are between 0 and 2."""

ADAPTERS = "adapters"
"""Stands for the tensors of all adapters among those of a model, in memory estimates."""

INVOCATION_TOKENS = "adapter.alora.invocation_tokens"
_A, _B, _NORM = ".lora_a", ".lora_b", "_norm.weight"
"""How the names of an adapter's tensors end. The change of a matrix is the product of its two tensors. llama.cpp
ignores norms."""


def check_number(adapters: Sequence[Adapter]) -> None:
    """Raises InvalidSettings if there are too many adapters."""
    if len(adapters) > MAX_ADAPTERS:
        raise InvalidSettings("adapters", Reason("there are more than {n}", n=MAX_ADAPTERS))


def is_scale(value: float) -> bool:
    """Whether an adapter can be applied with this scale. False for NaN."""
    return abs(value) <= MAX_SCALE


def check_adapter(adapter: Adapter, model: GgufHeader) -> int:
    """Returns the size of the adapter's tensors in bytes. Raises AdapterError if its scale is out of range, or if the
    file is missing, is damaged or does not fit the model. Blocks while the header is read."""
    path = adapter.path
    if not is_scale(adapter.scale):
        raise AdapterError(path, Reason("its scale is not between -{largest} and {largest}", largest=f"{MAX_SCALE:g}"))
    try:
        header = read_header(path)
    except ModelFileError as error:
        raise AdapterError(path, error.reason) from error
    if reason := _reason(header, model):
        raise AdapterError(path, reason)
    return sum(header.tensor_bytes.values())


def usable_adapters(
    adapters: Sequence[Adapter], model: GgufHeader
) -> tuple[tuple[Adapter, ...], int, tuple[AdapterError, ...]]:
    """Returns the adapters that fit the model, the size of their tensors in bytes, and why the others cannot be
    used."""
    usable, n_bytes, errors = [], 0, []
    for adapter in adapters:
        try:
            n_bytes += check_adapter(adapter, model)
        except AdapterError as error:
            errors.append(error)
        else:
            usable.append(adapter)
    return tuple(usable), n_bytes, tuple(errors)


def _reason(header: GgufHeader, model: GgufHeader) -> str:
    """Why an adapter does not fit a model; an empty text if it fits."""
    if header.values.get("general.type") != "adapter":
        return "it is not an adapter"
    kind = str(header.values.get("adapter.type", ""))
    if kind != "lora" or INVOCATION_TOKENS in header.values:
        return Reason("it is of the kind {kind}, not lora", kind="alora" if kind == "lora" else kind)
    if header.architecture != model.architecture:
        values = {"kind": header.architecture, "model": model.architecture}
        return Reason("it is for {kind} models, the model is {model}", **values)
    bases = dict.fromkeys(name.removesuffix(_A).removesuffix(_B) for name in header.tensor_bytes)
    if not bases:
        return "it contains no weights"
    return next(filter(None, (_tensor_reason(base, header, model) for base in bases)), "")


def _tensor_reason(base: str, header: GgufHeader, model: GgufHeader) -> str:
    """Why the two tensors that change the model's tensor `base` do not fit it; an empty text if they do."""
    if base in header.tensor_bytes:
        return "" if base.endswith(_NORM) else Reason("its tensor {tensor} is not supported", tensor=base)
    if base not in model.tensor_bytes:
        return Reason("it changes {tensor}, which the model does not have", tensor=base)
    if base + _A not in header.tensor_bytes or base + _B not in header.tensor_bytes:
        return Reason("one of the two tensors for {tensor} is missing", tensor=base)
    if base in model.tensor_shapes and not _have_shapes_for(base, header.tensor_shapes, model.tensor_shapes[base]):
        return Reason("{tensor} has another shape in the model", tensor=base)
    return ""


def _have_shapes_for(base: str, adapter: Mapping[str, tuple[int, ...]], shape: tuple[int, ...]) -> bool:
    """Whether the adapter's two tensors can change a matrix of this shape. The first number of a shape is the length of
    a row. llama.cpp takes the two tensors for the token embeddings the other way round."""
    a, b, wanted = (_sizes(each) for each in (adapter[base + _A], adapter[base + _B], shape))
    if base.endswith("token_embd.weight"):
        return (b[1], a[1]) == wanted
    return (a[0], b[1]) == wanted and a[1] == b[0]


def _sizes(shape: tuple[int, ...]) -> tuple[int, int]:
    first, second = (*shape, 1, 1)[:2]
    return first, second
