"""Which model a file holds, and how its KV memory is laid out: what a snapshot must agree with to be restored."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path

_SAMPLE = 1 << 20


def fingerprint(path: Path, kv_type: str) -> bytes:
    """16 bytes. From the file's size, its first and last MB, and the versions that lay the memory out; not from its
    name, so that a moved file keeps its snapshots."""
    digest = hashlib.blake2b(digest_size=16)
    size = path.stat().st_size
    digest.update(f"{size} {kv_type} {importlib.metadata.version('llama-cpp-python')}".encode())
    with path.open("rb") as file:
        digest.update(file.read(_SAMPLE))
        file.seek(max(0, size - _SAMPLE))
        digest.update(file.read(_SAMPLE))
    return digest.digest()
