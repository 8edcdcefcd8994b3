"""File names as text that can be shown, logged and written as JSON."""

from __future__ import annotations

import os
from pathlib import Path


def display_name(name: str | Path) -> str:
    """The name with U+FFFD for each byte that is not UTF-8. It cannot be used to open the file."""
    return os.fsencode(name).decode("utf-8", errors="replace")
