"""Measures the frozen program and the packages: set-up time, size, time to first paint, and the speed of the shipped
llama.cpp."""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engine.files.profile import Profile
from engine.library import default_model
from engine.library.default_model import find_default_model
from tests.bench.app_process import ROOT, environment
from tests.bench.figure import Figure, Result, Skipped, spread

CMAKE_SETTINGS = ROOT / "packaging" / "llama-cpp.cmake"
BUILD_OPTIONS = ("--no-binary", "llama-cpp-python", "--config-settings", "cmake.define.LLAVA_BUILD=OFF")
BUILD_TIMEOUT_S = 1800
FROZEN = ROOT / "build" / "ship" / "app" / "inglenook" / "inglenook"
FROZEN_PYTHON = ROOT / "build" / "ship" / "venv" / "bin" / "python"
NOT_FROZEN = "there is no freeze: `make package ONLY=freeze` makes it"
PAINT_LOG = b"qt.widgets.painting: Flushing"
N_PAINT_RUNS, N_SPEED_RUNS = 9, 7
SPEED_NAMES = {"read": "ship.read_speed", "write": "ship.write_speed"}


def setup() -> Figure:
    """The time of `make serve` in a new clone until the program starts, divided by the time to compile llama.cpp alone.

    The two are measured once, one after the other, each with an empty uv cache. Each takes minutes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkout = folder / "inglenook"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True)
        setup_s = _build_s(["make", "serve", "ARGS=--help"], checkout, folder / "cache", folder / "data")
        uv = [str(checkout / ".venv" / "bin" / "uv"), "pip", "install", "--no-deps", "--target", str(folder / "alone")]
        compile_command = [*uv, *BUILD_OPTIONS, _locked_requirement(checkout)]
        compile_s = _build_s(compile_command, checkout, folder / "other", folder / "data")
    against = f"compiling llama-cpp-python alone: {compile_s:.0f} s; all of it {setup_s:.0f} s, once each"
    return Figure("ship.setup", setup_s / compile_s, 1.2, "ratio", against)


def _build_s(command: list[str], folder: Path, cache: Path, data: Path) -> float:
    fresh = {
        "UV_CACHE_DIR": str(cache),
        "XDG_DATA_HOME": str(data),
        "CMAKE_ARGS": f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={CMAKE_SETTINGS}" if command[0] != "make" else "",
    }
    inherited = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "WHEEL")}
    env = {**inherited, **fresh}
    started_s = time.perf_counter()
    subprocess.run(command, cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL, timeout=BUILD_TIMEOUT_S)
    return time.perf_counter() - started_s


def _locked_requirement(checkout: Path) -> str:
    lock = (checkout / "packaging" / "lock" / "runtime.txt").read_text(encoding="utf-8")
    found = re.search(r"^llama-cpp-python==\S+", lock, re.MULTILINE)
    assert found is not None
    return found[0]


def size() -> tuple[Result, ...]:
    """The size of the download, and the disk space of the installed .deb without the model."""
    names = ("ship.installed_size", "ship.deb_size")
    debs = list((ROOT / "dist").glob("inglenook_*.deb"))
    if not debs or shutil.which("dpkg-deb") is None:
        return tuple(Skipped(name, "there is no .deb: `make package` makes it, on Debian") for name in names)
    deb = max(debs, key=lambda path: path.stat().st_mtime)
    installed, model = _installed_bytes(deb), default_model.SIZE_BYTES
    of = f"{deb.name}; with the model {installed / 1e6:.0f} MB"
    return (
        Figure(names[0], (installed - model) / 1e6, 260, "MB", of),
        Figure(names[1], deb.stat().st_size / 1e6, 220, "MB", f"{deb.name}; the model in it {model / 1e6:.0f} MB"),
    )


def _installed_bytes(deb: Path) -> int:
    """The installed size in bytes. The metadata of the .deb contains it in units of 1,024 bytes."""
    command = ["dpkg-deb", "--field", str(deb), "Installed-Size"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) * 1024


def first_paint() -> Result:
    """The time from the start of the frozen program to its first paint, divided by that of the program run from source.

    The programs are not changed for this: Qt's own log on stderr shows when a window was painted."""
    if not FROZEN.exists():
        return Skipped("ship.first_paint", NOT_FROZEN)
    source = [sys.executable, "-m", "desktop"]
    with tempfile.TemporaryDirectory() as profile:
        # these first runs only fill the disk cache, and are not measured
        _paint_s([str(FROZEN)], profile), _paint_s(source, profile)
        frozen, plain = [], []
        for _ in range(N_PAINT_RUNS):
            plain.append(_paint_s(source, profile))
            frozen.append(_paint_s([str(FROZEN)], profile))
    ratios = [mine / theirs for mine, theirs in zip(frozen, plain, strict=True)]
    against = f"from source {spread(plain)} s; frozen {spread(frozen)} s"
    return Figure("ship.first_paint", statistics.median(ratios), 1.2, "ratio", against)


def _paint_s(command: list[str], profile: str | Path) -> float:
    """Seconds from the start of the program until its first paint is on the screen."""
    env = environment() | {"QT_LOGGING_RULES": "qt.widgets.painting=true", "QT_FORCE_STDERR_LOGGING": "1"}
    started_s = time.perf_counter()
    with subprocess.Popen(
        [*command, "--profile", str(profile)], cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith(PAINT_LOG):
                    return time.perf_counter() - started_s
            raise RuntimeError(f"{command[0]} ended before it painted")
        finally:
            process.kill()


def speed() -> tuple[Result, ...]:
    """The speed of the shipped llama.cpp, divided by that of a llama.cpp compiled for this machine.

    The shipped llama.cpp contains kernels for many processors, and selects the best ones when it starts."""
    model = find_default_model(Profile.default())
    if model is None or not FROZEN_PYTHON.exists():
        return tuple(Skipped(name, NOT_FROZEN) for name in SPEED_NAMES.values())
    shipped: list[dict[str, Any]] = []
    native: list[dict[str, Any]] = []
    for _ in range(N_SPEED_RUNS):
        native.append(_kernel_speed(Path(sys.executable), model))
        shipped.append(_kernel_speed(FROZEN_PYTHON, model))
    return tuple(_speed_figure(phase, name, shipped, native) for phase, name in SPEED_NAMES.items())


def _speed_figure(phase: str, name: str, shipped: list[dict[str, Any]], native: list[dict[str, Any]]) -> Figure:
    ratios = [mine[phase] / theirs[phase] for mine, theirs in zip(shipped, native, strict=True)]
    compiled = spread([each[phase] for each in native])
    against = f"compiled for this machine {compiled} tokens/s; shipped, kernels {shipped[0]['kernels']}, one thread"
    return Figure(name, statistics.median(ratios), 0.95, "ratio", against, must_be="at least")


def _kernel_speed(python: Path, model: Path) -> dict[str, Any]:
    script = ROOT / "tests" / "bench" / "kernel_speed.py"
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, script, model], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result
