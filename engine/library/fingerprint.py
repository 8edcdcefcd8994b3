"""Computes a fingerprint of the weights in a model's files.

KV snapshots on disk and the record of a passed load trial (the trial load in a child process) are valid for one
fingerprint only."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path

from engine.library.split_files import split_paths

_END = 1 << 20
"""The number of bytes that are read at the start and at the end of each file."""

_N_SAMPLES, _SAMPLE = 32, 1 << 12
"""The number and size of the evenly spaced blocks that are read between the start and the end of each file.

Some tools rewrite weights and restore the modification time, so the change can only be found by reading the content."""


def fingerprint(path: Path, kind: str) -> bytes:
    """A hash of 16 bytes over the text `kind`, the version of llama-cpp-python, and each file's size, modification time
    and samples.

    It does not depend on the file name, so KV snapshots stay valid when the model file is moved or renamed. Raises
    OSError."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{kind} {importlib.metadata.version('llama-cpp-python')}".encode())
    for file in split_paths(path):
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
