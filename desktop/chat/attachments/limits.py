"""Limits of attached files. A file that exceeds a limit is rejected, not shortened, because the model would mistake the
part for the whole file."""

from __future__ import annotations

FILE_BYTES = 50_000_000
CHARACTERS = 4_000_000
"""Maximum length of the text of a file. It is about a million tokens, more than the longest context."""

PAGES = 2_000
UNPACKED_BYTES = 96 << 20
"""Maximum size of one unpacked part of a Word document. Protects against ZIP bombs."""

DOCUMENT_S = 45.0
CHILD_BYTES = 1 << 30
"""Memory limit of the child process that reads documents."""
