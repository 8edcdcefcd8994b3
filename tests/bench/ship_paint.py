"""`ship.first_paint`: from the start of the frozen program to its first paint, ÷ the same from source.

Both are looked at from outside, unchanged: Qt is asked to say on stderr when it has painted a window.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.child import ROOT, environment
from tests.bench.figure import Figure, Result, Skipped, spread

NAME = "ship.first_paint"
FROZEN = ROOT / "build" / "ship" / "app" / "inglenook" / "inglenook"
N_RUNS = 9
PAINTED = b"qt.widgets.painting: Flushing"


def measure() -> Result:
    if not FROZEN.exists():
        return Skipped(NAME, "there is no freeze: `make package ONLY=freeze` makes it")
    source = [sys.executable, "-m", "desktop"]
    with tempfile.TemporaryDirectory() as profile:
        paint_s([str(FROZEN)], profile), paint_s(source, profile)  # fills the disk cache
        frozen, plain = [], []
        for _ in range(N_RUNS):
            plain.append(paint_s(source, profile))
            frozen.append(paint_s([str(FROZEN)], profile))
    ratios = [mine / theirs for mine, theirs in zip(frozen, plain, strict=True)]
    against = f"from source {spread(plain)} s; frozen {spread(frozen)} s"
    return Figure(NAME, statistics.median(ratios), 1.2, "ratio", against)


def paint_s(command: list[str], profile: str | Path) -> float:
    """Seconds from the start of `command` until its first paint is on the screen."""
    told = environment() | {"QT_LOGGING_RULES": "qt.widgets.painting=true", "QT_FORCE_STDERR_LOGGING": "1"}
    began_s = time.perf_counter()
    with subprocess.Popen(
        [*command, "--profile", str(profile)], cwd=ROOT, env=told, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith(PAINTED):
                    return time.perf_counter() - began_s
            raise RuntimeError(f"{command[0]} ended before it painted")
        finally:
            process.kill()
