"""`ship.read_speed` and `ship.write_speed`: the llama.cpp that is shipped, which has kernels for every processor and
takes the best at the start, ÷ one that was compiled for this very machine."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from engine.files.profile import Profile
from engine.library.default_model import find_default_model
from tests.bench.child import ROOT
from tests.bench.figure import Figure, Result, Skipped, spread

NAMES = {"read": "ship.read_speed", "write": "ship.write_speed"}
SHIPPED = ROOT / "build" / "ship" / "venv" / "bin" / "python"
N_RUNS = 7


def measure() -> tuple[Result, ...]:
    model = find_default_model(Profile.default())
    if model is None or not SHIPPED.exists():
        return tuple(
            Skipped(name, "there is no freeze: `make package ONLY=freeze` makes it") for name in NAMES.values()
        )
    ours: list[dict[str, Any]] = []
    native: list[dict[str, Any]] = []
    for _ in range(N_RUNS):
        native.append(_run(Path(sys.executable), model))
        ours.append(_run(SHIPPED, model))
    return tuple(_figure(part, name, ours, native) for part, name in NAMES.items())


def _figure(part: str, name: str, ours: list[dict[str, Any]], native: list[dict[str, Any]]) -> Figure:
    ratios = [mine[part] / theirs[part] for mine, theirs in zip(ours, native, strict=True)]
    theirs = spread([each[part] for each in native])
    against = f"compiled for this machine {theirs} tokens/s; shipped, kernels {ours[0]['kernels']}, one thread"
    return Figure(name, statistics.median(ratios), 0.95, "ratio", against, must_be="at least")


def _run(python: Path, model: Path) -> dict[str, Any]:
    script = ROOT / "tests" / "bench" / "ship_kernels.py"
    told = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, script, model], cwd=ROOT, env=told, capture_output=True, text=True, check=True)
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen
