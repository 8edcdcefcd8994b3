"""Installs the API clients that tests of the endpoint use and that cannot be in .venv: JavaScript clients, and the
Python package instructor.

These clients are installed into build/clients. All other clients are development packages in .venv."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from .console import say
from .environment import install
from .errors import ChildFailed
from .paths import BUILD, LOCKS, LOG, ROOT
from .process import run, shown
from .state import checkout_id

FOLDER = BUILD / "clients"
INSTRUCTOR = LOCKS / "instructor.txt"
JAVASCRIPT = ROOT / "tests" / "clients" / "js"
_NPM_FILES = ("package.json", "package-lock.json", ".npmrc")


def ensure() -> None:
    """Installs the clients, unless the versions in their lock files are installed.

    If npm is missing or fails, the JavaScript clients are not installed, and their tests are skipped. Raises SetupError
    if the Python client cannot be installed."""
    _make_once(FOLDER / "instructor", (INSTRUCTOR,), _install_instructor)
    npm = shutil.which("npm")
    if npm is None or not JAVASCRIPT.exists():
        return
    try:
        _make_once(
            FOLDER / "js", tuple(JAVASCRIPT / name for name in _NPM_FILES), lambda folder: _install_js(npm, folder)
        )
    except ChildFailed:
        say(f"npm could not install the JavaScript clients, so their tests are skipped: {shown(LOG)} says why")


def _make_once(folder: Path, sources: tuple[Path, ...], make: Callable[[Path], None]) -> None:
    """Calls `make` with a new empty `folder`. Does nothing if an earlier call succeeded and `sources` have not changed
    since."""
    sha256 = hashlib.sha256(checkout_id().encode())
    for source in sources:
        sha256.update(source.read_bytes())
    stamp = folder / "made-for"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == sha256.hexdigest():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    make(folder)
    stamp.write_text(sha256.hexdigest(), encoding="utf-8")


def _install_instructor(folder: Path) -> None:
    say("Installing the clients that the endpoint is tested with")
    how = ("--require-hashes", "--only-binary", ":all:", "--target", folder)
    install(*how, "-r", INSTRUCTOR, task="installing the clients of the tests")


def _install_js(npm: str, folder: Path) -> None:
    for name in _NPM_FILES:
        shutil.copy(JAVASCRIPT / name, folder)
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
    run((npm, "ci", "--prefix", folder, *quiet), "installing the JavaScript clients of the tests")
