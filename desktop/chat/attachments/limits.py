"""How much of a file is read. What is beyond is refused as a whole: half a file would be read as if it were all."""

from __future__ import annotations

FILE_BYTES = 48 << 20
CHARACTERS = 4_000_000
"""About a million tokens, more than the longest context."""

PAGES = 2_000
UNPACKED_BYTES = 96 << 20
"""Of one part of a packed document, which may be a bomb."""

DOCUMENT_S = 45.0
CHILD_BYTES = 1 << 30
"""Memory that the process takes in which documents are read."""
