"""Builds llama.cpp's own server into build/peer. The benchmarks compare its speed with that of the endpoint.

The server and the engine are built from the same sources, the locked sdist of llama-cpp-python, and with the same
flags."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil

from . import build_fingerprint, checks
from .console import CompileProgress, say
from .environment import BUILD_CONSTRAINTS, LLAMA, cmake_settings, install, split_lock
from .errors import SetupError
from .paths import BUILD, LLAMA_SERVER_CMAKE, LOCKS, LOG
from .process import shown
from .state import checkout_id

FOLDER = BUILD / "peer"
PROGRAM = FOLDER / "llama-server"

# All other options have the same values as in the engine's build: optimized for this machine's processor, with OpenMP.
DEFINITIONS = {
    "LLAVA_BUILD": "OFF",
    "LLAMA_BUILD_TOOLS": "ON",
    "LLAMA_BUILD_SERVER": "ON",
    "LLAMA_OPENSSL": "OFF",
    # Without this option the build would download the server's web page, which is not in the sdist.
    "LLAMA_USE_PREBUILT_UI": "OFF",
}


def ensure() -> None:
    """Builds the server, unless it was built from the locked version. A build takes some minutes. Raises SetupError."""
    stamp, expected = FOLDER / "made-for", _expected_digest()
    if PROGRAM.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == expected:
        return
    checks.compiler()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    _build()
    stamp.write_text(expected, encoding="utf-8")
    say(f"llama-server is in {shown(FOLDER)}")


def _locked() -> str:
    return split_lock((LOCKS / "runtime.txt").read_text(encoding="utf-8"))[0]


def _expected_digest() -> str:
    """A digest of all inputs of the build."""
    inputs = [checkout_id(), build_fingerprint.native_build_digest(), _locked(), DEFINITIONS]
    sha256 = hashlib.sha256(json.dumps(inputs).encode())
    sha256.update((LOCKS / "build.txt").read_bytes())
    return sha256.hexdigest()


def _build() -> None:
    """Builds a wheel of llama-cpp-python with the locked build tools. Only llama-server is kept from the wheel."""
    lock, unpacked = FOLDER / "llama.txt", FOLDER / "wheel"
    lock.write_text(_locked(), encoding="utf-8")
    options = cmake_settings(DEFINITIONS | {build_fingerprint.DEFINE: build_fingerprint.native_build_digest()})
    options += ["--config-settings-package", f"{LLAMA}:build.targets=llama-server"]
    include = shlex.quote(f"-DCMAKE_PROJECT_llama.cpp_INCLUDE={LLAMA_SERVER_CMAKE}")
    env = {"CMAKE_ARGS": f"{include} {os.environ.get('CMAKE_ARGS', '')}".strip()}
    install_options = (
        "--no-deps",
        "--require-hashes",
        *BUILD_CONSTRAINTS,
        *options,
        "-v",
        "--target",
        unpacked,
        "-r",
        lock,
    )
    progress = CompileProgress()
    try:
        install(*install_options, task="compiling llama-server", env=env, progress=progress)
    finally:
        progress.close()
    built = unpacked / "bin" / PROGRAM.name
    if not built.exists():
        raise SetupError(f"llama-server was not built: the reason is in {shown(LOG)}.")
    built.replace(PROGRAM)
    shutil.rmtree(unpacked)
