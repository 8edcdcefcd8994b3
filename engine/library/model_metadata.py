"""Extracts from a GGUF header the metadata that the model list and the memory estimate need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import Reason
from engine.files.display_name import display_name
from engine.library.gguf_header import GgufHeader, Value
from engine.library.split_files import base_name
from engine.library.tensor_reads import EXPERTS_MARKER, tensor_reads

MAX_TENSORS = 5_000
"""Of a file with more tensors, only the total size is kept."""

FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
    21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip
"""The names of llama.cpp's file types (`llama_ftype` in llama.h)."""

_QUANTISATION = re.compile(r"(?:I?Q\d(?:_\w+)?|MXFP4(?:_MOE)?|B?F(?:16|32)|TQ\d_0)", re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_. ]+")
ADAPTER_REASON = "it is an adapter for {architecture} models"
"""Template of the reason why a LoRA adapter cannot be loaded as a model."""

_PLACEHOLDER_NAMES = ("model", "ggml model", "unnamed", "weights")


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """A model's metadata, which can be stored as JSON. `values` holds the header entries that the memory estimate
    needs."""

    name: str
    architecture: str
    quantisation: str
    n_params: int
    """The number of parameters; 0 if unknown."""
    n_ctx_train: int
    weights_bytes: int
    read_bytes: int
    """Bytes of the weights that are read for each token. Of a mixture of experts, only the active experts count."""
    licence: str
    has_template: bool
    values: Mapping[str, Value]
    tensor_bytes: Mapping[str, int] = field(default_factory=dict)
    """The size of each tensor, by name; empty for a file with more than MAX_TENSORS."""

    @property
    def header(self) -> GgufHeader:
        """The header for memory estimates."""
        return GgufHeader(self.values, self.tensor_bytes or {"": self.weights_bytes})

    @property
    def has_experts(self) -> bool:
        return any(EXPERTS_MARKER in name for name in self.tensor_bytes)


def metadata_from_header(path: Path, header: GgufHeader) -> ModelMetadata:
    architecture = header.architecture
    return ModelMetadata(
        name=_name(path, header),
        architecture=architecture,
        quantisation=_quantisation(path, header),
        n_params=_n_params(header),
        n_ctx_train=header.number("context_length"),
        weights_bytes=sum(header.tensor_bytes.values()),
        read_bytes=int(sum(tensor_reads(header).values())),
        licence=str(header.values.get("general.license", "")),
        has_template="tokenizer.chat_template" in header.values or "tokenizer.chat_template" in header.long_texts,
        values={key: value for key, value in header.values.items() if _is_needed(key, value, architecture)},
        tensor_bytes=header.tensor_bytes if len(header.tensor_bytes) <= MAX_TENSORS else {},
    )


def unusable_reason(header: GgufHeader) -> str:
    """The reason why the model cannot be used for chats although its file is valid; an empty text if it can be used."""
    kind = header.values.get("general.type")
    if kind == "adapter":
        return Reason(ADAPTER_REASON, architecture=header.architecture or "?")
    if kind == "mmproj" or header.architecture == "clip":
        return "it is the image encoder of another model"
    if not header.tensor_bytes:
        return "it contains no weights"
    return ""


def pretty_name(text: str) -> str:
    """Turns the name of a file or repository into a readable one, without quantisation and hyphens."""
    kept = _QUANTISATION.sub(" ", re.sub(r"\.gguf$", "", text, flags=re.IGNORECASE))
    words = [word for word in _SEPARATORS.split(re.sub(r"(?<=\d)\.(?=\d)", "\0", kept)) if word]
    words = [word.replace("\0", ".") for word in words if word.lower() not in ("gguf", "ud")]
    return " ".join(map(_capitalized, words)) or text


def _capitalized(word: str) -> str:
    """Writes sizes such as 7b in capitals, and names such as qwen with a capital first letter."""
    if re.fullmatch(r"[ae]?\d+(\.\d+)?[bm]", word):
        return word.upper()
    return word.capitalize() if word in ("gemma", "qwen", "llama", "mistral", "phi", "tinyllama", "smollm2") else word


def quantisation_in(name: str) -> str:
    """The quantisation in a file name; an empty text if there is none."""
    found = [match.group().upper() for match in _QUANTISATION.finditer(name)]
    return found[-1] if found else ""


def _name(path: Path, header: GgufHeader) -> str:
    """The name of the model. It is taken from the file name, which other programs show too. The name in the metadata is
    often that of a training run, so it is used only if the file name is a placeholder such as model.gguf."""
    pretty = pretty_name(display_name(base_name(path)))
    name_in_file = str(header.values.get("general.name", "")).strip()
    return name_in_file if pretty.lower() in _PLACEHOLDER_NAMES and 0 < len(name_in_file) <= 60 else pretty


def _quantisation(path: Path, header: GgufHeader) -> str:
    kind = header.values.get("general.file_type")
    if isinstance(kind, int) and kind in FILE_TYPES:
        return FILE_TYPES[kind]
    return quantisation_in(path.name)


def _n_params(header: GgufHeader) -> int:
    count = header.values.get("general.parameter_count")
    return count if isinstance(count, int) else header.n_elements


def _is_needed(key: str, value: Value, architecture: str) -> bool:
    if key in ("tokenizer.ggml.tokens", "tokenizer.ggml.merges", "tokenizer.ggml.model", "general.architecture"):
        return True
    return key.startswith(f"{architecture}.") and not (isinstance(value, tuple) and len(value) > 512)
