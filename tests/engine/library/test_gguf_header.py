"""read_header: damaged and hostile GGUF files raise ModelFileError before llama.cpp reads them."""

from __future__ import annotations

import contextlib
import shutil
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import ModelFileError
from engine.library.gguf_header import read_header


def header(n_tensors: int = 0, n_entries: int = 0, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, n_tensors, n_entries)


def text(value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(value) if length is None else length) + value


def entry(key: bytes, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def tensor(dims: list[int], kind: int = 0, offset: int = 0) -> bytes:
    return text(b"t") + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not a GGUF"),
    "text": (b"Hello, I am a text file with enough bytes.", "not a GGUF"),
    "version": (header(version=9), "version 9"),
    "big endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "version"),
    "2^60 tensors": (header(n_tensors=1 << 60), "damaged"),
    "2^60 entries": (header(n_entries=1 << 60), "damaged"),
    "cut in the header": (header(n_entries=5), "is incomplete"),
    "endless key": (header(n_entries=1) + text(b"k", 1 << 62) + b"x" * 50, "damaged"),
    "long key": (header(n_entries=1) + text(b"k", 1 << 20) + b"x" * 50, "damaged"),
    "unknown kind": (header(n_entries=1) + entry(b"k", 77, b"x" * 50), "damaged"),
    "array of arrays": (header(n_entries=1) + entry(b"k", 9, struct.pack("<IQ", 9, 2) + b"x" * 50), "damaged"),
    "endless array": (header(n_entries=1) + entry(b"k", 9, struct.pack("<IQ", 8, 1 << 60) + b"x" * 50), "damaged"),
    "endless numbers": (
        header(n_entries=1) + entry(b"k", 9, struct.pack("<IQ", 4, 1 << 60) + b"x" * 50),
        "is incomplete",
    ),
    "no alignment": (header(n_entries=1) + entry(b"general.alignment", 4, struct.pack("<I", 0)), "damaged"),
    "nine dimensions": (header(n_tensors=1) + tensor([1] * 9), "damaged"),
    "tensor past the end": (header(n_tensors=1) + tensor([1 << 20]), "is incomplete"),
    "offset past the end": (header(n_tensors=1) + tensor([1], offset=1 << 40), "is incomplete"),
    "2^200 elements": (header(n_tensors=1) + tensor([1 << 50] * 4), "is incomplete"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_header_raises_model_file_error_quickly(name: str, tmp_path: Path) -> None:
    data, reason = HOSTILE[name]
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    started = time.process_time()
    with pytest.raises(ModelFileError, match=reason) as refused:
        read_header(path)
    assert str(tmp_path) not in str(refused.value)
    assert time.process_time() - started < 1


def test_missing_file_or_folder_raises_model_file_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such file"):
        read_header(tmp_path / "nothing.gguf")
    with pytest.raises(ModelFileError, match="folder"):
        read_header(tmp_path)


def test_header_of_default_model_is_accepted(model_path: Path) -> None:
    read_header(model_path)


@pytest.mark.parametrize("keep", [lambda n: n - 1, lambda n: n // 2, lambda n: 1_000_000, lambda n: 100])
def test_truncated_file_raises_model_file_error(model_path: Path, tmp_path: Path, keep: Callable[[int], int]) -> None:
    path = tmp_path / "cut.gguf"
    shutil.copyfile(model_path, path)
    with path.open("r+b") as file:
        file.truncate(keep(model_path.stat().st_size))
    with pytest.raises(ModelFileError, match="is incomplete"):
        read_header(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200), st.integers(0, 4), st.integers(0, 4))
def test_random_bytes_after_a_header_raise_model_file_error_or_nothing(
    tmp_path: Path, data: bytes, n_tensors: int, n_entries: int
) -> None:
    path = tmp_path / "any.gguf"
    path.write_bytes(header(n_tensors, n_entries) + data)
    with contextlib.suppress(ModelFileError):
        read_header(path)
