"""Builds the .rpm for Fedora 37 and newer, openSUSE and other distributions with glibc 2.36 or newer."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from bootstrap.console import say

from . import elf, linux_files
from .deb import LIB
from .paths import APP, DIST, SHIP


def make() -> Path | None:
    """Builds the .rpm. All libraries are included. Returns None if rpmbuild is missing."""
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
    linux_files.write(tree / "usr")
    spec = work / "inglenook.spec"
    recipe = linux_files.fill_in((linux_files.LINUX / "inglenook.spec.in").read_text(encoding="utf-8"))
    private = private_pattern(path.name for path in elf.files(tree / LIB))
    spec.write_text(recipe.replace("@PRIVATE@", private), encoding="utf-8")
    macros = {"_topdir": work, "_rpmdir": work / "out", "tree": tree, "_binary_payload": "w19T2.zstdio"}
    options = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
    subprocess.run(["rpmbuild", "-bb", "--quiet", *options, spec], check=True, stdout=subprocess.DEVNULL)
    made = next((work / "out").rglob("*.rpm"))
    DIST.mkdir(exist_ok=True)
    return Path(shutil.move(made, DIST / made.name))


def private_pattern(names: Iterable[str]) -> str:
    """A regular expression in rpm's syntax. It matches the names of included libraries, such as `libQt6Core.so.6`."""
    stems = {re.sub(r"\.so.*", ".so", name) for name in names if ".so" in name}
    return "|".join(re.escape(stem).replace("\\", "\\\\") for stem in sorted(stems))
