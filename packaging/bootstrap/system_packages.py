"""The libraries that Qt and llama.cpp expect of the system, and how they get there on Debian and Ubuntu."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .console import say
from .errors import ChildFailed, SetupError
from .places import DEBIAN_PACKAGES, LOG
from .process import run, shown


@dataclass(frozen=True, slots=True)
class Package:
    """A line of debian-packages.txt: `use` is engine, window or looks; `provides` a library's soname or a path."""

    use: str
    name: str
    provides: str

    def is_missing(self) -> bool:
        if self.provides.startswith("/"):
            return not Path(self.provides).exists()
        try:
            ctypes.CDLL(self.provides)
        except OSError:
            return True
        return False


def listed() -> list[Package]:
    """The packages of debian-packages.txt, in its order."""
    rows = (line.partition("#")[0].split() for line in DEBIAN_PACKAGES.read_text(encoding="utf-8").splitlines())
    return [Package(*row) for row in rows if row]


def ensure(*, window: bool) -> None:
    """Installs what is missing where that is allowed, else raises SetupError with the command that does it."""
    if not sys.platform.startswith("linux"):
        return
    uses = {"engine", "window"} if window else {"engine"}
    needed = [package for package in listed() if package.use in uses and package.is_missing()]
    names = [package.name for package in needed] + _venv_packages()
    looks = [package.name for package in listed() if window and package.use == "looks" and package.is_missing()]
    if not shutil.which("apt-get"):
        _refuse_elsewhere(needed)
        return
    root = _as_root()
    if root is None:
        if names:
            raise SetupError(
                f"Some system packages are missing: run `{_command(['sudo'], [*names, *looks])}`, then start again."
            )
        if looks:
            say(f"The window is drawn for fonts that are missing here: {_command(['sudo'], looks)}")
    elif names or looks:
        _install(root, names, looks)
        still = [package.name for package in needed if package.is_missing()]
        if still:
            raise SetupError(f"These packages were installed but do not work: {' '.join(still)}; see {shown(LOG)}.")


def _venv_packages() -> list[str]:
    """Debian keeps the part of Python that makes environments in a package of its own."""
    if importlib.util.find_spec("ensurepip"):
        return []
    return [f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"]


def _refuse_elsewhere(needed: list[Package]) -> None:
    if needed:
        missing = ", ".join(package.provides for package in needed)
        raise SetupError(f"These system libraries are missing: {missing}; install the packages that hold them.")


def _as_root() -> list[str] | None:
    """What to put before a command so that it runs as root without asking, or None."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    if shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True).returncode == 0:
        return sudo
    return None


def _command(root: list[str], names: list[str]) -> str:
    return " ".join([*root, "apt-get", "install", "-y", "--no-install-recommends", *names])


def _install(root: list[str], names: list[str], looks: list[str]) -> None:
    say(f"Installing system packages: {' '.join([*names, *looks])}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    # A source of packages that does not answer need not be one of ours: whether that matters, installing shows.
    with contextlib.suppress(ChildFailed):
        run([*root, "apt-get", "update"], "reading the list of system packages", env=quiet)
    try:
        if names:
            run(_command(root, names).split(), "installing system packages", env=quiet)
    except ChildFailed as failure:
        command = _command(["sudo"], names)
        raise SetupError(
            f"System packages could not be installed (see {shown(LOG)}): run `{command}`, then start again."
        ) from failure
    # Without its fonts the window works.
    if looks:
        with contextlib.suppress(ChildFailed):
            run(_command(root, looks).split(), "installing fonts", env=quiet)
