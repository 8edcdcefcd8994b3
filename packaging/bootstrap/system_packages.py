"""The system libraries that Qt and llama.cpp need, and how they are installed on Debian and Ubuntu."""

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
from .paths import DEBIAN_PACKAGES, LOG
from .process import run, shown

_QUIET = {"DEBIAN_FRONTEND": "noninteractive"}


@dataclass(frozen=True, slots=True)
class Package:
    """A line of debian-packages.txt: `use` is engine, window, fonts or graphics; `provides` is a library's soname or a
    path."""

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
    """The packages in debian-packages.txt, in the order of that file."""
    rows = (line.partition("#")[0].split() for line in DEBIAN_PACKAGES.read_text(encoding="utf-8").splitlines())
    return [Package(*row) for row in rows if row]


def ensure(*, window: bool) -> None:
    """Installs missing packages if that needs no password. Otherwise raises SetupError with the command to run."""
    if not sys.platform.startswith("linux"):
        return
    uses = {"engine", "window"} if window else {"engine"}
    needed = [package for package in listed() if package.use in uses and package.is_missing()]
    names = [package.name for package in needed] + _venv_packages()
    fonts = [package.name for package in listed() if window and package.use == "fonts" and package.is_missing()]
    if not shutil.which("apt-get"):
        _refuse_elsewhere(needed)
        return
    root = _as_root()
    if root is None:
        if names:
            raise SetupError(
                f"Some system packages are missing: run `{_command(['sudo'], [*names, *fonts])}`, then start again."
            )
        if fonts:
            say(f"The window is drawn for fonts that are missing here: {_command(['sudo'], fonts)}")
    elif names or fonts:
        _install(root, names, fonts)
        missing = [package.name for package in needed if package.is_missing()]
        if missing:
            raise SetupError(f"These packages were installed but do not work: {' '.join(missing)}; see {shown(LOG)}.")


def ensure_graphics() -> None:
    """Installs missing packages for graphics cards if that needs no password. Otherwise, on Debian and Ubuntu, prints
    the command to run. They are optional, so this never fails."""
    names = [package.name for package in listed() if package.use == "graphics" and package.is_missing()]
    if not names or not shutil.which("apt-get"):
        return
    root = _as_root()
    if root is None:
        say(f"The graphics card can be used with packages that are missing here: {_command(['sudo'], names)}")
        return
    say(f"Installing system packages: {' '.join(names)}")
    _update(root)
    with contextlib.suppress(ChildFailed):
        run(_command(root, names).split(), "installing packages for graphics cards", env=_QUIET)


def _venv_packages() -> list[str]:
    """If Python's module ensurepip is missing, the Debian package that contains it."""
    if importlib.util.find_spec("ensurepip"):
        return []
    return [f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"]


def _refuse_elsewhere(needed: list[Package]) -> None:
    if needed:
        missing = ", ".join(package.provides for package in needed)
        raise SetupError(f"These system libraries are missing: {missing}; install the packages that hold them.")


def _as_root() -> list[str] | None:
    """The words to put before a command so that it runs as root without a password; None if that is impossible."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    if shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True).returncode == 0:
        return sudo
    return None


def _command(root: list[str], names: list[str]) -> str:
    return " ".join([*root, "apt-get", "install", "-y", "--no-install-recommends", *names])


def _install(root: list[str], names: list[str], fonts: list[str]) -> None:
    say(f"Installing system packages: {' '.join([*names, *fonts])}")
    _update(root)
    try:
        if names:
            run(_command(root, names).split(), "installing system packages", env=_QUIET)
    except ChildFailed as failure:
        command = _command(["sudo"], names)
        raise SetupError(
            f"System packages could not be installed (see {shown(LOG)}): run `{command}`, then start again."
        ) from failure
    # Fonts are optional: without these packages Qt uses the fonts that are installed.
    if fonts:
        with contextlib.suppress(ChildFailed):
            run(_command(root, fonts).split(), "installing fonts", env=_QUIET)


def _update(root: list[str]) -> None:
    """Reads the lists of packages anew. This fails if any package source is unreachable. The failure is ignored: if
    that source is needed, the installation fails too."""
    with contextlib.suppress(ChildFailed):
        run([*root, "apt-get", "update"], "reading the list of system packages", env=_QUIET)
