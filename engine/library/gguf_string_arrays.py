"""Skips string arrays in GGUF headers, such as vocabularies of 150,000 tokens and lists of as many merge rules."""

from __future__ import annotations

import struct
from io import BufferedReader

_LENGTH = struct.Struct("<Q")
_BLOCK = 1 << 16
_SAMPLE = 512
"""The number of leading bytes by which a cached array is found, before all of its bytes are compared."""

MAX_KEPT_BYTES = 64 << 20


class TruncatedArray(Exception):
    """The array is longer than the file, or contains an impossible length."""


class StringArraySkipper:
    """Skips string arrays, and caches their bytes to skip equal arrays faster. Not thread-safe.

    Models of one family share a vocabulary. Comparing its bytes takes a hundredth of the time of reading the length of
    every string."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, bytes], bytes] = {}
        self._n_kept = 0

    def skip(self, file: BufferedReader, n_texts: int, largest: int) -> None:
        """Moves `file` past `n_texts` strings of at most `largest` bytes each. Raises TruncatedArray."""
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
    """Does the same as `StringArraySkipper.skip` without a cache, by reading the length of every string."""
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
    if place > len(block):  # the last string ends after the block of bytes that was read
        file.seek(0, 2)
        if end > file.tell():
            raise TruncatedArray
    file.seek(end)
