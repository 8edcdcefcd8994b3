"""Skips string arrays in GGUF headers: vocabularies of 150,000 tokens and as many merges."""

from __future__ import annotations

import struct
from io import BufferedReader

_LENGTH = struct.Struct("<Q")
_BLOCK = 1 << 16
_SAMPLE = 512
"""Leading bytes that identify a known array, before all of its bytes are compared."""

MAX_KEPT_BYTES = 64 << 20


class TruncatedArray(Exception):
    """The array exceeds the file, or contains an impossible length."""


class StringArraySkipper:
    """Caches skipped arrays. Models of one family share a vocabulary, and comparing its bytes takes a hundredth of the
    time of walking through its lengths. Not thread-safe."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, bytes], bytes] = {}
        self._n_kept = 0

    def skip(self, file: BufferedReader, n_texts: int, largest: int) -> None:
        """Moves `file` behind `n_texts` strings of at most `largest` bytes each. Raises TruncatedArray."""
        start = file.tell()
        key = (n_texts, file.read(_SAMPLE))
        file.seek(start)
        known = self._known.get(key)
        if known is not None and file.read(len(known)) == known:
            return
        file.seek(start)
        walk(file, n_texts, largest)
        self._keep(file, key, start)

    def _keep(self, file: BufferedReader, key: tuple[int, bytes], start: int) -> None:
        n_bytes = file.tell() - start
        if self._n_kept + n_bytes <= MAX_KEPT_BYTES and key not in self._known:
            file.seek(start)
            self._known[key] = file.read(n_bytes)
            self._n_kept += n_bytes


def walk(file: BufferedReader, n_texts: int, largest: int) -> None:
    """As `skip`, without the cache: reads every length."""
    unpack = _LENGTH.unpack_from
    block_at = file.tell()
    block = file.read(_BLOCK)
    place = 0
    for _ in range(n_texts):
        if place + 8 > len(block):
            block_at += place
            file.seek(block_at)
            block = file.read(_BLOCK)
            place = 0
            if len(block) < 8:
                raise TruncatedArray
        (length,) = unpack(block, place)
        if length > largest:
            raise TruncatedArray
        place += 8 + length
    end = block_at + place
    if place > len(block):  # the last string exceeds the block
        file.seek(0, 2)
        if end > file.tell():
            raise TruncatedArray
    file.seek(end)
