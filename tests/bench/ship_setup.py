"""`ship.setup`: what `make serve` does on a fresh machine until the program starts, ÷ compiling llama.cpp alone.

A clone with an empty cache, once, and then the same source compiled by itself, once: both take minutes."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.child import ROOT
from tests.bench.figure import Figure

SETTINGS = ROOT / "packaging" / "llama-cpp.cmake"
BUILD = ("--no-binary", "llama-cpp-python", "--config-settings", "cmake.define.LLAVA_BUILD=OFF")
PATIENCE_S = 1800


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        checkout = place / "inglenook"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True)
        setup_s = _seconds(["make", "serve", "ARGS=--help"], checkout, place / "cache", place / "data")
        uv = [str(checkout / ".venv" / "bin" / "uv"), "pip", "install", "--no-deps", "--target", str(place / "alone")]
        compile_s = _seconds([*uv, *BUILD, _locked(checkout)], checkout, place / "other", place / "data")
    against = f"compiling llama-cpp-python alone: {compile_s:.0f} s; all of it {setup_s:.0f} s, once each"
    return Figure("ship.setup", setup_s / compile_s, 1.2, "ratio", against)


def _seconds(command: list[str], folder: Path, cache: Path, data: Path) -> float:
    fresh = {
        "UV_CACHE_DIR": str(cache),
        "XDG_DATA_HOME": str(data),
        "CMAKE_ARGS": f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={SETTINGS}" if command[0] != "make" else "",
    }
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "WHEEL")}
    began_s = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env={**kept, **fresh}, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_S
    )
    return time.perf_counter() - began_s


def _locked(checkout: Path) -> str:
    """The requirement as it is locked."""
    lock = (checkout / "packaging" / "lock" / "runtime.txt").read_text(encoding="utf-8")
    found = re.search(r"^llama-cpp-python==\S+", lock, re.MULTILINE)
    assert found is not None
    return found[0]
