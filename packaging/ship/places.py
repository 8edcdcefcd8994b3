"""Where installers are made of what."""

from __future__ import annotations

import sys
import tomllib

from bootstrap.places import BUILD, ROOT

PACKAGING = ROOT / "packaging"
SHIP = BUILD / "ship"
DIST = ROOT / "dist"

VENV = SHIP / "venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

MODEL = SHIP / "model"
ICONS = SHIP / "icons"
APP = SHIP / "app" / "inglenook"
"""The program as it is installed: the two commands, `_internal` with all they need, and `licences`."""


def version() -> str:
    """The version that pyproject.toml names."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
