"""File format of a KV snapshot: header, tokens, KV state.

A file is written under a temporary name, synced to disk and renamed, so a file with its final name is always complete.
A checksum detects later damage.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.files.atomic_write import write_atomic

MAGIC = b"INKSNAP1"
SUFFIX = ".kv"
_HEADER = struct.Struct("<8s16sIQ16s")


class SnapshotDamaged(Exception):
    """The file is not a KV snapshot, or its contents changed after it was written."""


@dataclass(frozen=True, slots=True)
class Header:
    fingerprint: bytes
    """16 bytes that identify the model and the type of its KV memory."""
    tokens: list[int]
    state_bytes: int


def file_name(fingerprint: bytes, tokens: Sequence[int]) -> str:
    """Name of a snapshot's file. It depends only on the model and the tokens."""
    return f"{hashlib.blake2b(fingerprint + _packed(tokens), digest_size=16).hexdigest()}{SUFFIX}"


def write(path: Path, fingerprint: bytes, tokens: Sequence[int], state: memoryview) -> None:
    """Writes a KV snapshot atomically. If this raises OSError, no file remains."""
    packed = _packed(tokens)
    header = _HEADER.pack(MAGIC, fingerprint, len(tokens), len(state), _checksum(packed, state))
    write_atomic(path, (header, packed, state), durable=True)


def read_header(path: Path) -> Header:
    """Reads and checks the header, the tokens and the file length, but not the KV state. Raises SnapshotDamaged,
    OSError."""
    with path.open("rb") as file:
        _, fingerprint, n_tokens, state_bytes, _ = _unpack(file.read(_HEADER.size))
        if path.stat().st_size != _HEADER.size + 4 * n_tokens + state_bytes:
            raise SnapshotDamaged
        return Header(fingerprint, _unpacked(file.read(4 * n_tokens)), state_bytes)


def read_state(path: Path) -> memoryview:
    """Reads the KV state and verifies the checksum. Raises SnapshotDamaged, OSError."""
    with path.open("rb") as file:
        _, _, n_tokens, state_bytes, checksum = _unpack(file.read(_HEADER.size))
        if path.stat().st_size != _HEADER.size + 4 * n_tokens + state_bytes:
            raise SnapshotDamaged
        packed = file.read(4 * n_tokens)
        state = memoryview(bytearray(state_bytes))
        n_read = file.readinto(state)
    if n_read != state_bytes or _checksum(packed, state) != checksum:
        raise SnapshotDamaged
    return state


def _unpack(data: bytes) -> tuple[bytes, bytes, int, int, bytes]:
    if len(data) != _HEADER.size:
        raise SnapshotDamaged
    magic, fingerprint, n_tokens, state_bytes, checksum = _HEADER.unpack(data)
    if magic != MAGIC:
        raise SnapshotDamaged
    return magic, fingerprint, n_tokens, state_bytes, checksum


def _packed(tokens: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(tokens)}i", *tokens)


def _unpacked(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}i", data))


def _checksum(packed: bytes, state: memoryview) -> bytes:
    digest = hashlib.blake2b(packed, digest_size=16)
    digest.update(state)
    return digest.digest()
