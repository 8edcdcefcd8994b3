"""Builds the installer for Windows with NSIS, and signs it if there is a certificate."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from bootstrap.console import say
from bootstrap.errors import SetupError

from .paths import APP, DIST, ICONS, PACKAGING, version

SCRIPT = PACKAGING / "windows" / "inglenook.nsi"
_TIME_STAMPS = "http://timestamp.digicert.com"


def make() -> Path:
    """Builds the installer from the frozen app."""
    if shutil.which("makensis") is None:
        raise SetupError("There is no makensis here: install NSIS 3, then start again.")
    sign(APP / "inglenook.exe")
    sign(APP / "inglenook-serve.exe")
    path = DIST / f"inglenook-{version()}-windows-x64-setup.exe"
    DIST.mkdir(exist_ok=True)
    compile_script(APP, ICONS / "inglenook.ico", path, version())
    sign(path)
    return path


def compile_script(app: Path, icon: Path, out: Path, of: str) -> None:
    """Compiles the NSIS script on any system with makensis. `app` is the folder with inglenook.exe, and `of` the
    version.

    Raises SetupError with the output of makensis."""
    given = {"VERSION": of, "NUMBERS": numbers(of), "APP": app, "ICON": icon, "OUT": out}
    dash = "/" if os.name == "nt" else "-"
    options = [f"{dash}D{name}={value}" for name, value in given.items()]
    # By default makensis reads a script in the code page of Windows, not as UTF-8.
    flags = (f"{dash}V2", f"{dash}WX", f"{dash}INPUTCHARSET", "UTF8")
    done = subprocess.run(["makensis", *flags, *options, SCRIPT], capture_output=True, text=True)
    if done.returncode != 0:
        raise SetupError(f"makensis failed: {(done.stdout + done.stderr).strip()[-800:]}")


def numbers(of: str) -> str:
    """Converts a version to four numbers, as Windows requires: 0.2.0rc1 becomes 0.2.0.0."""
    release = re.match(r"\d+(?:\.\d+)*", of)
    found = release[0].split(".") if release else []
    return ".".join([*found, "0", "0", "0", "0"][:4])


def sign(path: Path) -> None:
    """Signs a file with the certificate SIGN_CERTIFICATE (a .pfx) and SIGN_PASSWORD. Does nothing if these environment
    variables are not set."""
    certificate = os.environ.get("SIGN_CERTIFICATE")
    if not certificate:
        say(f"{path.name} is not signed: SIGN_CERTIFICATE names no certificate")
        return
    password = os.environ.get("SIGN_PASSWORD", "")
    options = ("/fd", "sha256", "/td", "sha256", "/tr", _TIME_STAMPS, "/f", certificate, "/p", password)
    tool = _signtool()
    if tool is None:
        raise SetupError("There is a certificate and no signtool: install the Windows SDK, then start again.")
    # The arguments contain the password, so they must not be printed.
    if subprocess.run([tool, "sign", *options, path], capture_output=True).returncode != 0:
        raise SetupError(f"signtool could not sign {path.name}.")


def _signtool() -> Path | None:
    """The path of the newest signtool. The Windows SDK installs each version into a folder that is not on PATH."""
    if found := shutil.which("signtool"):
        return Path(found)
    kits = Path(os.environ.get("PROGRAMFILES(X86)", "")) / "Windows Kits/10/bin"
    return max(kits.glob("10.*/x64/signtool.exe"), key=_build, default=None)


def _build(tool: Path) -> list[int]:
    return [int(number) for number in tool.parents[1].name.split(".")]
