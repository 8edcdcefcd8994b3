"""File format of a KV snapshot: header, tokens, KV state.

A file is written under a temporary name, synced to disk and renamed, so a file with its final name is always complete.
A checksum detects later damage.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from engine.files.atomic_write import write_atomic
from engine.kv_memory import Exactness

MAGIC = b"INKSNAP2"
SUFFIX = ".kv"
_HEADER = struct.Struct("<8s16sIIIQI")


class SnapshotDamaged(Exception):
    """The file is not a KV snapshot, or its contents changed after it was written."""


@dataclass(frozen=True, slots=True)
class Header:
    fingerprint: bytes
    """16 bytes that identify the model and the type of its KV memory."""
    tokens: list[int]
    state_bytes: int
    exactness: Exactness
    checksum: int


def file_name(fingerprint: bytes, tokens: Sequence[int]) -> str:
    """Name of a snapshot's file. It depends only on the model and the tokens."""
    return f"{hashlib.blake2b(fingerprint + _packed(tokens), digest_size=16).hexdigest()}{SUFFIX}"


def write(
    path: Path, fingerprint: bytes, tokens: Sequence[int], state: memoryview, exactness: Exactness = Exactness()
) -> None:
    """Writes a KV snapshot atomically. If this raises OSError, no file remains."""
    packed, exact = _packed(tokens), (exactness.n_exact, exactness.exact_end)
    header = _HEADER.pack(MAGIC, fingerprint, len(tokens), *exact, len(state), _checksum(packed, exactness, state))
    write_atomic(path, (header, packed, state), durable=True)


def read_header(path: Path) -> Header:
    """Reads and checks the header, the tokens and the file length, but not the KV state. Raises SnapshotDamaged,
    OSError."""
    with path.open("rb") as file:
        return _read_header(file)


def read_state(path: Path) -> memoryview:
    """Reads the KV state and verifies the checksum. Raises SnapshotDamaged, OSError."""
    with path.open("rb", buffering=0) as file:
        header = _read_header(file)
        state = np.empty(header.state_bytes, np.uint8).data
        n_read = 0
        while n_read < header.state_bytes and (n := file.readinto(state[n_read:])):
            n_read += n
    if n_read != header.state_bytes or _checksum(_packed(header.tokens), header.exactness, state) != header.checksum:
        raise SnapshotDamaged
    return state


def _read_header(file: BinaryIO) -> Header:
    data = file.read(_HEADER.size)
    if len(data) != _HEADER.size:
        raise SnapshotDamaged
    magic, fingerprint, n_tokens, n_exact, exact_end, state_bytes, checksum = _HEADER.unpack(data)
    if magic != MAGIC or os.fstat(file.fileno()).st_size != _HEADER.size + 4 * n_tokens + state_bytes:
        raise SnapshotDamaged
    return Header(fingerprint, _unpacked(file.read(4 * n_tokens)), state_bytes, Exactness(n_exact, exact_end), checksum)


def _packed(tokens: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(tokens)}i", *tokens)


def _unpacked(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}i", data))


def _checksum(packed: bytes, exactness: Exactness, state: memoryview) -> int:
    start = zlib.crc32(_packed((exactness.n_exact, exactness.exact_end)), zlib.crc32(packed))
    return zlib.crc32(state, start)
