"""File names as people, JSON and logs can take them."""

from __future__ import annotations

import os
from pathlib import Path


def display_name(name: str | Path) -> str:
    """Bytes that are no UTF-8, which Python holds as lone surrogates, become replacement marks. Not for opening."""
    return os.fsencode(name).decode("utf-8", errors="replace")
