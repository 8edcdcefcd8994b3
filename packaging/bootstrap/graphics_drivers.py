"""Installs the Vulkan loader and drivers on Debian and Ubuntu, if this machine has a graphics card.

They are optional: without them, or if they cannot be installed, the processor is used."""

from __future__ import annotations

import os
import subprocess
import sys

from . import system_packages
from .paths import PYTHON, ROOT

# A script for .venv's Python. What a card is, is defined only in the app.
_QUERY_SCRIPT = "from engine.devices.card_detection import detect_cards; print(detect_cards().has_card)"


def ensure() -> None:
    """Installs missing packages if that needs no password; otherwise names the command. Does nothing without a card,
    and if the environment variable GPU is `off`. Never fails."""
    if sys.platform.startswith("linux") and os.environ.get("GPU") != "off" and _has_card():
        system_packages.ensure_graphics()


def _has_card() -> bool:
    done = subprocess.run(
        [PYTHON, "-c", _QUERY_SCRIPT], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return done.stdout.strip() == "True"
