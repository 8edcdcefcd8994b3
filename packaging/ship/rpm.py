"""The .rpm, for Fedora 37 and newer, openSUSE and others with glibc 2.36."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from bootstrap.console import say

from . import elf, share
from .deb import LIB
from .places import APP, DIST, SHIP


def make() -> Path | None:
    """Packs the frozen app with all that it needs of the system. None where there is no rpmbuild."""
    if shutil.which("rpmbuild") is None:
        say("There is no rpmbuild here, so no .rpm is made")
        return None
    say("Packing the .rpm")
    work = SHIP / "rpm"
    shutil.rmtree(work, ignore_errors=True)
    tree = work / "tree"
    shutil.copytree(APP, tree / LIB, symlinks=True, ignore=shutil.ignore_patterns("licences"))
    programs = tree / "usr/bin"
    programs.mkdir()
    for name in ("inglenook", "inglenook-serve"):
        (programs / name).symlink_to(f"../lib/inglenook/{name}")
    share.write(tree / "usr")
    spec = work / "inglenook.spec"
    recipe = share.fill_in((share.LINUX / "inglenook.spec.in").read_text(encoding="utf-8"))
    private = private_pattern(path.name for path in elf.files(tree / LIB))
    spec.write_text(recipe.replace("@PRIVATE@", private), encoding="utf-8")
    places = {"_topdir": work, "_rpmdir": work / "out", "tree": tree, "_binary_payload": "w19T2.zstdio"}
    options = [word for name, value in places.items() for word in ("--define", f"{name} {value}")]
    subprocess.run(["rpmbuild", "-bb", "--quiet", *options, spec], check=True, stdout=subprocess.DEVNULL)
    made = next((work / "out").rglob("*.rpm"))
    DIST.mkdir(exist_ok=True)
    return Path(shutil.move(made, DIST / made.name))


def private_pattern(names: Iterable[str]) -> str:
    """A regular expression of rpm for the libraries that came along: `libQt6Core.so.6` and the like."""
    stems = {re.sub(r"\.so.*", ".so", name) for name in names if ".so" in name}
    return "|".join(re.escape(stem).replace("\\", "\\\\") for stem in sorted(stems))
