"""Reads the header of a GGUF file and checks it before llama.cpp reads the file.

llama.cpp's reader has had memory bugs, and some files make it abort the process. For damaged downloads, the check also
gives a clearer error. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import cast

from engine.errors import ModelFileError, Reason
from engine.library.gguf_string_arrays import StringArraySkipper, TruncatedArray, walk

MAX_ENTRIES = 100_000
"""Limit for the number of metadata entries and for the number of tensors. The largest real models have some
thousands."""

MAX_STRING = 64 * 1024 * 1024
MAX_KEY, MAX_TENSOR_NAME = 65_535, 1024
"""Limits in bytes. The format limits keys to 65,535 bytes; llama.cpp limits tensor names to 63 bytes."""

MAX_TEXTS = 8_000_000
"""Limit for the number of strings in all arrays of a file. The largest vocabularies have 262,144 tokens and twice as
many merge rules."""

MAX_KEPT_TOTAL = 16 << 20
"""Limit in bytes for the metadata that is held in memory for one file. A string counts with its length, each number of
an array with 8 bytes."""

MAX_LAYERS, MAX_SIZE = 10_000, 1 << 31
_LAYERS = ("block_count", "attention.shared_kv_layers", "nextn_predict_layers")
_SIZES = (
    "context_length", "embedding_length", "feed_forward_length", "vocab_size", "expert_count", "expert_used_count",
    "attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.value_length",
    "attention.key_length_mla", "full_attention_interval", "ssm.inner_size",
    "ssm.state_size", "ssm.conv_kernel", "ssm.group_count", "wkv.head_size", "token_shift_count", "shortconv.l_cache",
    "kda.head_dim",
)  # fmt: skip
"""Metadata keys whose values are multiplied in memory estimates. These values may not be negative or larger than
MAX_SIZE."""

_SCALAR_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9

BLOCKS: dict[int, tuple[int, int]] = {
    # Each tensor type is mapped to its number of elements per block and bytes per block.
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18),
}  # fmt: skip


Value = int | float | bool | str | tuple[int, ...]

MAX_KEPT = 4096
"""The longest string (in bytes) and the longest array (in numbers) that are held in memory. Vocabularies are
skipped."""

_FORMATS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_FLOATS = (6, 12)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """The metadata and tensor sizes of a GGUF file.

    `values` holds numbers, short strings and short integer arrays. Of a string array it holds only the length."""

    values: Mapping[str, Value]
    tensor_bytes: Mapping[str, int]
    """The size of each tensor in bytes, by name."""
    n_elements: int = 0
    """The number of elements in all tensors together."""
    long_texts: frozenset[str] = frozenset()
    """The keys of strings that are too long to be in `values`."""
    tensor_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The number of elements of each tensor in each of its dimensions, by name. The first is the length of a row. Empty
    if the header was not read from the file."""
    n_skipped_layers: int = 0
    """Number of layers at the end that are not loaded; `tensor_bytes` does not contain their tensors."""

    @property
    def architecture(self) -> str:
        return str(self.values.get("general.architecture", ""))

    def number(self, key: str, default: int = 0) -> int:
        """The integer with the metadata key `ARCHITECTURE.key`, such as `llama.block_count`; `default` if there is
        none."""
        value = self.values.get(f"{self.architecture}.{key}", default)
        return int(value) if isinstance(value, int) else default

    @property
    def n_mtp_layers(self) -> int:
        """Number of MTP layers (multi-token prediction). They are the last layers, and `block_count` includes them."""
        n = self.number("nextn_predict_layers")
        return n if 0 < n < self.number("block_count") else 0

    @property
    def n_main_layers(self) -> int:
        """Number of layers that every token passes through: those before the MTP layers."""
        return self.number("block_count") - self.n_mtp_layers

    def per_layer(self, key: str, n_layers: int, default: int = 0) -> tuple[int, ...]:
        """Returns one integer for each layer. The value at `key` may be an array, or one number for all layers."""
        value = self.values.get(f"{self.architecture}.{key}", default)
        if isinstance(value, tuple):
            return (*value, *(default for _ in range(n_layers)))[:n_layers]
        return (int(value) if isinstance(value, int) else default,) * n_layers


def read_header(path: Path, arrays: StringArraySkipper | None = None) -> GgufHeader:
    """Reads and checks the header of a GGUF file.

    Raises ModelFileError if the file is missing, is not GGUF, or is shorter than its header requires. Reading many
    files in sequence is faster if all calls get the same object as `arrays`, because this object caches
    vocabularies."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            reader = _Header(path, file, size, arrays)
            reader.check()
            reader.check_sizes()
            texts = frozenset(reader.long_texts)
            return GgufHeader(reader.values, reader.tensor_bytes, reader.n_elements, texts, reader.tensor_shapes)
    except FileNotFoundError:
        raise ModelFileError(path, "there is no such file") from None
    except IsADirectoryError:
        raise ModelFileError(path, "this is a folder, not a file") from None
    except OSError as error:
        raise ModelFileError(
            path, Reason("the file cannot be read ({why})", why=error.strerror), is_transient=True
        ) from None


class _Header:
    def __init__(self, path: Path, file: BufferedReader, size: int, arrays: StringArraySkipper | None) -> None:
        self._path = path
        self._file = file
        self._size = size
        self._arrays = arrays
        self._alignment = 32
        self.values: dict[str, Value] = {}
        self.tensor_bytes: dict[str, int] = {}
        self.tensor_shapes: dict[str, tuple[int, ...]] = {}
        self.n_elements = 0
        self.long_texts: set[str] = set()
        self._n_texts = 0
        self._n_kept = 0

    def check(self) -> None:
        if self._size < 24 or self._file.read(4) != b"GGUF":
            raise self._error("the file is not a GGUF model")
        version, n_tensors, n_entries = struct.unpack("<IQQ", self._take(20))
        if version not in (2, 3):
            raise self._error(Reason("its GGUF version {version} is not supported", version=version & 0xFFFF))
        if n_tensors > MAX_ENTRIES or n_entries > MAX_ENTRIES:
            raise self._error("its header is damaged")
        for _ in range(n_entries):
            self._entry()
        ends = [self._tensor() for _ in range(n_tensors)]
        data = -(-self._file.tell() // self._alignment) * self._alignment
        if ends and data + max(ends) > self._size:
            raise self._error("the file is incomplete; download it again")

    def check_sizes(self) -> None:
        """Raises ModelFileError if a number would make a memory estimate or a list of layers excessively large."""
        architecture = self.values.get("general.architecture", "")
        limits = dict.fromkeys(_SIZES, MAX_SIZE) | dict.fromkeys(_LAYERS, MAX_LAYERS)
        for key, largest in limits.items():
            value = self.values.get(f"{architecture}.{key}", 0)
            numbers = value if isinstance(value, tuple) else (value,)
            if any(isinstance(number, int) and not 0 <= number <= largest for number in numbers):
                raise self._error(Reason("its header is damaged: {key} is out of range", key=key))

    def _entry(self) -> None:
        key = self._string(MAX_KEY)
        (kind,) = struct.unpack("<I", self._take(4))
        if key == b"general.alignment" and kind == 4:
            (self._alignment,) = struct.unpack("<I", self._take(4))
            if not 0 < self._alignment <= 1 << 20:
                raise self._error("its header is damaged")
            return
        value = self._value(kind)
        name = key.decode(errors="replace")
        if value is not None:
            self.values[name] = value
        elif kind == _STRING:
            self.long_texts.add(name)

    def _value(self, kind: int) -> Value | None:
        """A metadata value. Returns None for values that are skipped: long strings, long arrays, and arrays of
        floats."""
        if kind in _SCALAR_SIZES:
            (scalar,) = struct.unpack(_FORMATS[kind], self._take(_SCALAR_SIZES[kind]))
            return cast(Value, scalar)
        if kind == _STRING:
            length = self._length()
            if length <= MAX_KEPT:
                self._keep(length)
                return self._take(length).decode(errors="replace")
            self._skip(length)
        elif kind == _ARRAY:
            item, n = struct.unpack("<IQ", self._take(12))
            if item in _SCALAR_SIZES and item not in _FLOATS and n <= MAX_KEPT:
                self._keep(8 * n)
                data = self._take(n * _SCALAR_SIZES[item])
                return tuple(int(number) for (number,) in struct.iter_unpack(_FORMATS[item], data))
            if item in _SCALAR_SIZES:
                self._skip(n * _SCALAR_SIZES[item])
            elif item == _STRING and n <= self._size // 8:
                self._skip_strings(n)
                return int(n)
            else:
                raise self._error("its header is damaged")
        else:
            raise self._error("its header is damaged")
        return None

    def _tensor(self) -> int:
        """Reads the entry of one tensor. Returns the end of its data, relative to the start of all tensor data."""
        name = self._string(MAX_TENSOR_NAME).decode(errors="replace")
        (n_dims,) = struct.unpack("<I", self._take(4))
        if not 0 <= n_dims <= 4:
            raise self._error("its header is damaged")
        shape: tuple[int, ...] = struct.unpack(f"<{n_dims}Q", self._take(8 * n_dims))
        n_elements = math.prod(shape)
        kind, offset = struct.unpack("<IQ", self._take(12))
        # The size of a tensor of an unknown type cannot be calculated, so only its offset is checked.
        per_block, block_bytes = BLOCKS.get(kind, (1, 0))
        n_bytes = n_elements // per_block * block_bytes
        self.tensor_bytes[name] = n_bytes
        self.tensor_shapes[name] = shape
        self.n_elements += n_elements
        return int(offset) + n_bytes

    def _string(self, largest: int) -> bytes:
        return self._take(self._length(largest))

    def _keep(self, n_bytes: int) -> None:
        self._n_kept += n_bytes
        if self._n_kept > MAX_KEPT_TOTAL:
            raise self._error("its header is damaged")

    def _skip_strings(self, n: int) -> None:
        self._n_texts += n
        if self._n_texts > MAX_TEXTS:
            raise self._error("its header is damaged")
        try:
            if self._arrays is None:
                walk(self._file, n, MAX_STRING)
            else:
                self._arrays.skip(self._file, n, MAX_STRING)
        except TruncatedArray:
            raise self._error("the file is incomplete; download it again") from None

    def _length(self, largest: int = MAX_STRING) -> int:
        (length,) = struct.unpack("<Q", self._take(8))
        if length > largest:
            raise self._error("its header is damaged")
        return int(length)

    def _take(self, n: int) -> bytes:
        data = self._file.read(n)
        if len(data) < n:
            raise self._error("the file is incomplete; download it again")
        return data

    def _skip(self, n: int) -> None:
        if n > self._size - self._file.tell():
            raise self._error("the file is incomplete; download it again")
        self._file.seek(n, 1)

    def _error(self, reason: str) -> ModelFileError:
        return ModelFileError(self._path, reason)
