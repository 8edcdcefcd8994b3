"""Converts file names to valid Unicode, for the screen, logs and JSON."""

from __future__ import annotations

import os
from pathlib import Path


def display_name(name: str | Path) -> str:
    """Returns the file name with U+FFFD for each byte that is not UTF-8. The result cannot be used to open the file."""
    return os.fsencode(name).decode("utf-8", errors="replace")
