"""llama.cpp's own server, for the benchmarks to measure against: out of the sdist of llama-cpp-python that is locked,
so of the very sources that the engine runs on, and built with the same flags. It lies below build/peer."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil

from . import checks, compiled
from .console import CompileProgress, say
from .environment import BUILD_CONSTRAINTS, LLAMA, cmake_settings, install, split_lock
from .errors import SetupError
from .places import BUILD, LLAMA_SERVER_CMAKE, LOCKS, LOG
from .process import shown
from .state import made_by

FOLDER = BUILD / "peer"
PROGRAM = FOLDER / "llama-server"

# What the engine's build does not say stays as it is there: for this machine's processor, with OpenMP.
DEFINITIONS = {
    "LLAVA_BUILD": "OFF",
    "LLAMA_BUILD_TOOLS": "ON",
    "LLAMA_BUILD_SERVER": "ON",
    "LLAMA_OPENSSL": "OFF",
    # Its web page is not in the sdist, and would be fetched.
    "LLAMA_USE_PREBUILT_UI": "OFF",
}


def ensure() -> None:
    """Builds it, unless it is there as the lock wants it. Raises SetupError. Takes some minutes."""
    stamp, wanted = FOLDER / "made-for", _wanted()
    if PROGRAM.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    checks.compiler()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    _build()
    stamp.write_text(wanted, encoding="utf-8")
    say(f"llama-server is in {shown(FOLDER)}")


def _locked() -> str:
    return split_lock((LOCKS / "runtime.txt").read_text(encoding="utf-8"))[0]


def _wanted() -> str:
    """A digest of all that decides what is made."""
    sha256 = hashlib.sha256(json.dumps([made_by(), compiled.way_and_processor(), _locked(), DEFINITIONS]).encode())
    sha256.update((LOCKS / "build.txt").read_bytes())
    return sha256.hexdigest()


def _build() -> None:
    """As a wheel, by the tools that are locked; of what it holds only the program is kept."""
    lock, unpacked = FOLDER / "llama.txt", FOLDER / "wheel"
    lock.write_text(_locked(), encoding="utf-8")
    options = cmake_settings(DEFINITIONS | {compiled.DEFINE: compiled.way_and_processor()})
    options += ["--config-settings-package", f"{LLAMA}:build.targets=llama-server"]
    include = shlex.quote(f"-DCMAKE_PROJECT_llama.cpp_INCLUDE={LLAMA_SERVER_CMAKE}")
    env = {"CMAKE_ARGS": f"{include} {os.environ.get('CMAKE_ARGS', '')}".strip()}
    how = ("--no-deps", "--require-hashes", *BUILD_CONSTRAINTS, *options, "-v", "--target", unpacked, "-r", lock)
    progress = CompileProgress()
    try:
        install(*how, task="compiling llama-server", env=env, progress=progress)
    finally:
        progress.close()
    built = unpacked / "bin" / PROGRAM.name
    if not built.exists():
        raise SetupError(f"llama-server was not built: the reason is in {shown(LOG)}.")
    built.replace(PROGRAM)
    shutil.rmtree(unpacked)
