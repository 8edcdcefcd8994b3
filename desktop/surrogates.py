"""Halves of UTF-16 surrogate pairs, which no UTF-8 writer takes: neither SQLite, nor a file, nor a pipe.

They come from JSON that was cut in the middle of an emoji, from PDFs, from the clipboard, and from file names that are
not UTF-8, whose bytes Python keeps as such halves.
"""

from __future__ import annotations


def well_formed(text: str) -> str:
    """The text with halves that belong together joined, and U+FFFD for each that is left."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
