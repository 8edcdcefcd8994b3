"""Request bodies that came compressed, decoded within the limit of their size."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from api.errors import BadRequest, UnsupportedEncoding

STEP_BYTES = 1024 * 1024
"""Decoded at a time, so that a small piece that decodes to megabytes does not block the loop."""

_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class Decoder:
    """Of one body. `coding`: the value of its Content-Encoding header. Raises UnsupportedEncoding."""

    def __init__(self, coding: str) -> None:
        window_bits = _WINDOW_BITS.get(coding)
        if window_bits is None:
            raise UnsupportedEncoding(coding)
        self._coding = coding
        self._inflate = zlib.decompressobj(window_bits)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Pieces of at most STEP_BYTES. Raises BadRequest."""
        while data and not self._inflate.eof:
            try:
                piece = self._inflate.decompress(data, STEP_BYTES)
            except zlib.error:
                raise self._damaged() from None
            data = self._inflate.unconsumed_tail
            yield piece
        if data or self._inflate.unused_data:
            raise self._damaged()

    def check_end(self) -> None:
        """Raises BadRequest where the body ends too early."""
        if not self._inflate.eof:
            raise self._damaged()

    def _damaged(self) -> BadRequest:
        return BadRequest(f"The body is not valid {self._coding}.")
