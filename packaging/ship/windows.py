"""The installer for Windows, made by NSIS; signed where there is a certificate."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from bootstrap.console import say
from bootstrap.errors import SetupError

from .places import APP, DIST, ICONS, PACKAGING, version

SCRIPT = PACKAGING / "windows" / "inglenook.nsi"
_TIME_STAMPS = "http://timestamp.digicert.com"


def make() -> Path:
    """Packs the frozen app."""
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
    """`app` is the folder with inglenook.exe. Any system with makensis. Raises SetupError with what it says."""
    given = {"VERSION": of, "APP": app, "ICON": icon, "OUT": out}
    dash = "/" if os.name == "nt" else "-"
    options = [f"{dash}D{name}={value}" for name, value in given.items()]
    done = subprocess.run(["makensis", f"{dash}V2", f"{dash}WX", *options, SCRIPT], capture_output=True, text=True)
    if done.returncode != 0:
        raise SetupError(f"makensis failed: {(done.stdout + done.stderr).strip()[-800:]}")


def sign(path: Path) -> None:
    """With the certificate that SIGN_CERTIFICATE (a .pfx) and SIGN_PASSWORD name; without one, not at all."""
    certificate = os.environ.get("SIGN_CERTIFICATE")
    if not certificate:
        say(f"{path.name} is not signed: SIGN_CERTIFICATE names no certificate")
        return
    password = os.environ.get("SIGN_PASSWORD", "")
    how = ("/fd", "sha256", "/td", "sha256", "/tr", _TIME_STAMPS, "/f", certificate, "/p", password)
    # Without its arguments in what is printed: one of them is the password.
    if subprocess.run(["signtool", "sign", *how, path], capture_output=True).returncode != 0:
        raise SetupError(f"signtool could not sign {path.name}.")
