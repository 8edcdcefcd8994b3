"""Writes the files that a Linux package installs in /usr/share: menu entry, icons, AppStream metadata, man pages and
licences."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import time
from pathlib import Path

from bootstrap.paths import ROOT

from . import icons
from .paths import APP, ICONS, PACKAGING, version

LINUX = PACKAGING / "linux"
APP_ID = "io.github.inglenook.Inglenook"
DESKTOP_ID = "inglenook.desktop"
_ICON_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)


def build_time_s() -> int:
    """The Unix time that is used as the time of the build: SOURCE_DATE_EPOCH if it is set, otherwise the time of the
    last commit. So builds are reproducible."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else int(time.time())


def fill_in(template: str) -> str:
    """Replaces the @NAME@ placeholders of a template. Returns the text."""
    day = time.strftime("%Y-%m-%d", time.gmtime(build_time_s()))
    values = {"VERSION": version(), "DATE": day, "DESKTOP_ID": DESKTOP_ID}
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


def write(usr: Path) -> None:
    """Writes all files into `usr`/share. `usr` is the path of a folder that becomes /usr."""
    share = usr / "share"
    _put(share / "applications" / DESKTOP_ID, (LINUX / DESKTOP_ID).read_text(encoding="utf-8"))
    metainfo = f"{APP_ID}.metainfo.xml"
    _put(share / "metainfo" / metainfo, fill_in((LINUX / f"{metainfo}.in").read_text(encoding="utf-8")))
    for name in ("inglenook.1", "inglenook-serve.1"):
        text = fill_in((LINUX / f"{name}.in").read_text(encoding="utf-8"))
        compress(share / "man" / "man1" / f"{name}.gz", text)
    _write_icons(share / "icons" / "hicolor")
    doc = share / "doc" / "inglenook"
    shutil.copytree(APP / "licences", doc / "licences")
    compress(doc / "changelog.gz", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def compress(path: Path, text: str) -> None:
    """Writes `text` as gzip without a timestamp, for reproducible builds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def _write_icons(hicolor: Path) -> None:
    for size in _ICON_SIZES:
        folder = hicolor / f"{size}x{size}" / "apps"
        folder.mkdir(parents=True)
        shutil.copyfile(icons.png(size), folder / "inglenook.png")
    scalable = hicolor / "scalable" / "apps"
    scalable.mkdir(parents=True)
    shutil.copyfile(ICONS / "inglenook.svg", scalable / "inglenook.svg")


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
