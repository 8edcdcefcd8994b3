"""Lone surrogates, which cannot be encoded as UTF-8 for SQLite, files or pipes.

They come from JSON that was cut inside an emoji, from PDFs, from the clipboard, and from file names that are not UTF-8
(PEP 383).
"""

from __future__ import annotations


def well_formed(text: str) -> str:
    """The text with surrogate pairs joined, and U+FFFD for each lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
