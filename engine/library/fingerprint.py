"""Identifies the weights in a model's files: a snapshot of KV memory and a passed trial are valid for them only."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path

from engine.library.split_files import parts

_END = 1 << 20
"""Bytes that are read at both ends of each file."""

_N_SAMPLES, _SAMPLE = 32, 1 << 12
"""Evenly spaced blocks that are read in between, for tools that write weights anew and restore the time."""


def fingerprint(path: Path, kind: str) -> bytes:
    """16 bytes, from size, modification time and samples of each of the model's files, `kind`, and the version of
    llama.cpp. The name does not count, so that a moved file keeps its snapshots. Raises OSError."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{kind} {importlib.metadata.version('llama-cpp-python')}".encode())
    for file in parts(path):
        _add(digest, file)
    return digest.digest()


def _add(digest: hashlib.blake2b, path: Path) -> None:
    found = path.stat()
    digest.update(f" {found.st_size} {found.st_mtime_ns} ".encode())
    with path.open("rb") as file:
        digest.update(file.read(_END))
        between = found.st_size - 2 * _END
        for n in range(_N_SAMPLES if between > 0 else 0):
            file.seek(_END + between * n // _N_SAMPLES)
            digest.update(file.read(_SAMPLE))
        file.seek(max(0, found.st_size - _END))
        digest.update(file.read(_END))
