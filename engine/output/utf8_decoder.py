"""Bytes of tokens → text, where a character may be spread over several tokens."""

from __future__ import annotations

import codecs


class Utf8Decoder:
    """Gives out whole characters only. Bytes that can never become a character turn into U+FFFD at once.

    The start of a character whose rest never comes is left unsaid: an answer that was cut there has not said it."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, data: bytes) -> str:
        return self._decoder.decode(data)
