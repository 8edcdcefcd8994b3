"""Decodes text files whose encoding is unknown."""

from __future__ import annotations

import codecs

MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    # UTF-32 is tested before UTF-16, because the byte order mark of UTF-32-LE begins with that of UTF-16-LE
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\b\x1b") + b"\x7f"
CONTROLS_PER_1000 = 5
"""Maximum number of control characters per 1000 bytes of a text file. Old logs contain a few; files with more are
binary."""


def decode(data: bytes) -> str | None:
    """Text of a file, with \\n as line end, or None if the data is binary.

    The byte order mark determines the encoding. Without a mark, UTF-8, Windows-1252 and Latin-1 are tried in this
    order."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _lines(_decoded(data[len(mark) :], encoding))
    if b"\0" in data or len(data) - len(data.translate(None, CONTROLS)) > len(data) * CONTROLS_PER_1000 / 1000:
        return None
    for encoding in ("utf-8", "cp1252"):
        text = _decoded(data, encoding)
        if text is not None:
            return _lines(text)
    return _lines(data.decode("latin-1"))


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _lines(text: str | None) -> str | None:
    return None if text is None else text.replace("\r\n", "\n").replace("\r", "\n")
