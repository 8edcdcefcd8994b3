"""Receives request bodies within limits of size and time, and decompresses them."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator

from starlette.types import Message, Receive

from api.errors import BadRequest, BodyTooLarge, BodyTooSlow, UnsupportedEncoding
from api.settings import EndpointSettings

DECODED_CHUNK_BYTES = 1024 * 1024
"""Size of the chunks in which a body is decompressed. A few compressed bytes can become megabytes, so the event loop
runs other tasks between two chunks."""

_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class BoundedReceive:
    """Wraps an ASGI `receive`: decompresses the body, and raises BodyTooLarge and BodyTooSlow.

    The size limit applies to the received bytes and to the decompressed bytes, because compressed data of any size may
    decode to nothing. Once the body is complete, `receive` is called without a time limit."""

    def __init__(self, receive: Receive, settings: EndpointSettings, encoding: str) -> None:
        """`encoding`: the value of the Content-Encoding header; empty if the header is absent. Raises
        UnsupportedEncoding."""
        self._receive = receive
        self._settings = settings
        self._decoder = None if encoding in ("", "identity") else Decoder(encoding)
        self._received_bytes = 0
        self._size_bytes = 0
        self._deadline: float | None = None
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._settings.body_timeout_s
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise BodyTooSlow from None
        if message["type"] != "http.request":
            return message
        self._complete = not message.get("more_body", False)
        data = message.get("body", b"")
        self._received_bytes = self._checked(self._received_bytes + len(data))
        if self._decoder is not None:
            return {**message, "body": await self._decoded(self._decoder, data)}
        return message

    async def _decoded(self, decoder: Decoder, data: bytes) -> bytes:
        chunks = []
        for chunk in decoder.decode(data):
            self._size_bytes = self._checked(self._size_bytes + len(chunk))
            chunks.append(chunk)
            await asyncio.sleep(0)
        if self._complete:
            decoder.check_end()
        return b"".join(chunks)

    def _checked(self, n_bytes: int) -> int:
        if n_bytes > self._settings.max_body_bytes:
            raise BodyTooLarge(self._settings.max_body_bytes)
        return n_bytes


class Decoder:
    """Decompresses one body. `encoding`: the value of its Content-Encoding header. Raises UnsupportedEncoding."""

    def __init__(self, encoding: str) -> None:
        window_bits = _WINDOW_BITS.get(encoding)
        if window_bits is None:
            raise UnsupportedEncoding(encoding)
        self._encoding = encoding
        self._inflate = zlib.decompressobj(window_bits)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yields the decompressed data in chunks of at most DECODED_CHUNK_BYTES. Raises BadRequest for invalid data."""
        while data and not self._inflate.eof:
            try:
                chunk = self._inflate.decompress(data, DECODED_CHUNK_BYTES)
            except zlib.error:
                raise self._invalid() from None
            data = self._inflate.unconsumed_tail
            yield chunk
        if data or self._inflate.unused_data:
            raise self._invalid()

    def check_end(self) -> None:
        """Raises BadRequest if the compressed body is truncated."""
        if not self._inflate.eof:
            raise self._invalid()

    def _invalid(self) -> BadRequest:
        return BadRequest(f"The body is not valid {self._encoding}.")
