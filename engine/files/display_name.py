"""File names as valid Unicode, for the screen, logs and JSON."""

from __future__ import annotations

import os
from pathlib import Path


def display_name(name: str | Path) -> str:
    """The name with U+FFFD for each byte that is not UTF-8. Not usable for opening the file."""
    return os.fsencode(name).decode("utf-8", errors="replace")
