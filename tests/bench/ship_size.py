"""`ship.installed_size` and `ship.deb_size`: what the .deb takes on a disk without the model, and what is fetched."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from engine.library import default_model
from tests.bench.child import ROOT
from tests.bench.figure import Figure, Result, Skipped

INSTALLED, DOWNLOADED = "ship.installed_size", "ship.deb_size"


def measure() -> tuple[Result, ...]:
    debs = list((ROOT / "dist").glob("inglenook_*.deb"))
    if not debs or shutil.which("dpkg-deb") is None:
        why = "there is no .deb: `make package` makes it, on Debian"
        return Skipped(INSTALLED, why), Skipped(DOWNLOADED, why)
    deb = max(debs, key=lambda path: path.stat().st_mtime)
    installed = _installed_bytes(deb)
    model = default_model.SIZE_BYTES
    of = f"{deb.name}; with the model {installed / 1e6:.0f} MB"
    return (
        Figure(INSTALLED, (installed - model) / 1e6, 260, "MB", of),
        Figure(DOWNLOADED, deb.stat().st_size / 1e6, 220, "MB", f"{deb.name}; the model in it {model / 1e6:.0f} MB"),
    )


def _installed_bytes(deb: Path) -> int:
    """What dpkg says that it will take; its unit is 1,024 bytes."""
    command = ["dpkg-deb", "--field", str(deb), "Installed-Size"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) * 1024
