"""Builds the tar.gz for Linux with glibc 2.36 or newer. It can be unpacked into any folder."""

from __future__ import annotations

import gzip
import platform
import shutil
import tarfile
from pathlib import Path

from bootstrap.console import say

from . import linux_files
from .paths import APP, DIST, SHIP, version


def make() -> Path:
    """Packs the frozen app with all libraries, and the folder `share` with the menu entry, icons and man pages."""
    name = f"inglenook-{version()}-linux-{platform.machine()}"
    say(f"Packing {name}.tar.gz")
    path = DIST / f"{name}.tar.gz"
    DIST.mkdir(exist_ok=True)
    staged = SHIP / "tar"
    shutil.rmtree(staged, ignore_errors=True)
    linux_files.write(staged)
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for source in (APP, staged):
            _add(archive, source, name)
    return path


def _add(archive: tarfile.TarFile, source: Path, name: str) -> None:
    """Adds files in sorted order, with a fixed owner and time, so that builds are reproducible."""
    for path in sorted(source.rglob("*")):
        member = archive.gettarinfo(path, f"{name}/{path.relative_to(source)}")
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mtime = linux_files.build_time_s()
        program = member.isdir() or (path.parent == APP and member.isfile())
        member.mode = 0o755 if program else 0o644
        if member.isreg():
            with path.open("rb") as file:
                archive.addfile(member, file)
        else:
            archive.addfile(member)
