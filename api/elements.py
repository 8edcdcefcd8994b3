"""How many values a JSON text holds, counted before any object is built."""

from __future__ import annotations

MAX_ELEMENTS = 2**17
"""Of one body. A body of 16 MB can hold eight million values, which would take gigabytes once they are objects."""

PIECE_BYTES = 65536
"""Read at a time: no single call holds the interpreter's lock for long."""

_VALUE_STARTS = (b",", b"[", b"{")


def has_more_elements(content: bytes, limit: int = MAX_ELEMENTS) -> bool:
    """Whether `content` holds more than about `limit` values, keys among them not counted. Linear, stops at the limit.

    Every value but the first follows a comma or begins a list or an object, so these characters are counted where they
    stand outside of strings. For a text that is no JSON, the count means nothing."""
    if len(content) <= limit:
        return False
    n_found, within_string, held_back = 0, False, b""
    for start in range(0, len(content), PIECE_BYTES):
        piece = held_back + content[start : start + PIECE_BYTES]
        held_back = b"\\" if _ends_in_escape(piece) else b""
        piece = piece[: len(piece) - len(held_back)].replace(b"\\\\", b"").replace(b'\\"', b"")
        parts = piece.split(b'"')
        outside = b"".join(parts[within_string::2])
        n_found += sum(map(outside.count, _VALUE_STARTS))
        if n_found > limit:
            return True
        within_string ^= len(parts) % 2 == 0
    return False


def _ends_in_escape(piece: bytes) -> bool:
    """Whether the last byte is a backslash that escapes the byte behind it."""
    return (len(piece) - len(piece.rstrip(b"\\"))) % 2 == 1
