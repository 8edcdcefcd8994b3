"""Builds an older package, from which the smoke test upgrades to the tested one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from ship.paths import SHIP

_FOLDER = SHIP.parent / "smoke"


def make_older(deb: Path, folder: Path = _FOLDER) -> Path:
    """Repacks `deb` with a lower version. The older package is larger, because a fast compression is used."""
    tree = folder / "older"
    shutil.rmtree(tree, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["dpkg-deb", "--raw-extract", deb, tree], check=True)
    control = tree / "DEBIAN" / "control"
    text = re.sub(r"^Version: .+$", r"\g<0>~older", control.read_text(encoding="utf-8"), flags=re.MULTILINE)
    control.write_text(text, encoding="utf-8")
    name, version, architecture = deb.stem.split("_")
    older = folder / f"{name}_{version}~older_{architecture}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, older], check=True)
    shutil.rmtree(tree)
    return older
