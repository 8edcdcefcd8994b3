"""Replaces lone surrogates, which cannot be encoded as UTF-8 for SQLite, files or pipes.

Text from JSON that was cut inside an emoji may contain them. So may text from a PDF or from the clipboard, and file
names that are not UTF-8 (PEP 383).
"""

from __future__ import annotations


def well_formed(text: str) -> str:
    """The text with each surrogate pair joined to one character, and each lone surrogate replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
