"""Decodes the bytes of tokens to text, where one character may span several tokens."""

from __future__ import annotations

import codecs


class Utf8Decoder:
    """Decodes bytes to whole characters.

    Bytes that can never become a character turn into U+FFFD at once. An incomplete character at the end of an answer is
    dropped."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, data: bytes) -> str:
        return self._decoder.decode(data)
