"""The paths that the build of installers uses, and the version of Inglenook."""

from __future__ import annotations

import sys
import tomllib

from bootstrap.paths import BUILD, ROOT

PACKAGING = ROOT / "packaging"
SHIP = BUILD / "ship"
DIST = ROOT / "dist"

VENV = SHIP / "venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

MODEL = SHIP / "model"
ICONS = SHIP / "icons"
APP = SHIP / "app" / "inglenook"
"""The folder of the frozen program as it is installed. It contains both commands, `_internal` and `licences`."""


def version() -> str:
    """The version in pyproject.toml."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
