"""Limits of attached files. Larger files are rejected, because the model would take a part for the whole."""

from __future__ import annotations

FILE_BYTES = 48 << 20
CHARACTERS = 4_000_000
"""About a million tokens, more than the longest context."""

PAGES = 2_000
UNPACKED_BYTES = 96 << 20
"""Unpacked size of one part of a document; protects against zip bombs."""

DOCUMENT_S = 45.0
CHILD_BYTES = 1 << 30
"""Memory limit of the process that reads documents."""
