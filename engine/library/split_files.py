"""Finds the files of a split model, `name-00001-of-00003.gguf` and so on. llama.cpp loads such a model by its first
file.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from engine.errors import ModelFileError, Reason
from engine.library.gguf_header import GgufHeader, read_header
from engine.library.gguf_string_arrays import StringArraySkipper

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)

MAX_PARTS = 1000


def split_paths(path: Path) -> list[Path]:
    """The paths of all files of a model, whether or not they exist. `path` is the model's first or only file."""
    return [path.with_name(name) for name in split_names(path.name)]


def split_names(name: str) -> list[str]:
    """The names of all files of a model. `name` is the name of the model's first or only file."""
    found = _PART.fullmatch(name)
    if found is None or not 1 < (count := int(found["count"])) <= MAX_PARTS:
        return [name]
    ending = name[-5:]
    return [f"{found['stem']}-{number:05}-of-{found['count']}{ending}" for number in range(1, count + 1)]


def total_size(path: Path) -> int:
    """The size of all files of a model in bytes. `path` is the model's first file. Raises OSError if a file is
    missing."""
    return sum(file.stat().st_size for file in split_paths(path))


def is_continuation_file(name: str) -> bool:
    """Whether the file is the second or a later file of a split model."""
    found = _PART.fullmatch(name)
    return found is not None and int(found["number"]) != 1 and int(found["count"]) > 1


def base_name(path: Path) -> str:
    """The file name without suffix and part number."""
    found = _PART.fullmatch(path.name)
    return found["stem"] if found is not None else path.stem


def read_model(path: Path, arrays: StringArraySkipper | None = None) -> GgufHeader:
    """The header of a model's first file, with the tensors of all its files.

    Raises ModelFileError if a file is damaged or missing."""
    files = split_paths(path)
    header = read_header(path, arrays)
    if len(files) == 1:
        return header
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise ModelFileError(path, Reason("{n} of its {all} parts are missing", n=len(missing), all=len(files)))
    tensors, shapes, n_elements = dict(header.tensor_bytes), dict(header.tensor_shapes), header.n_elements
    for file in files[1:]:
        part = read_header(file, arrays)
        tensors.update(part.tensor_bytes)
        shapes.update(part.tensor_shapes)
        n_elements += part.n_elements
    return replace(header, tensor_bytes=tensors, tensor_shapes=shapes, n_elements=n_elements)
