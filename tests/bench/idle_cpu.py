"""`window.idle_cpu`: what the process takes of one core while the window is open, the model loaded, an answer written,
and nobody does anything."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from tests.bench.child import PATIENCE_S, ROOT, command, environment
from tests.bench.figure import Figure, spread

WATCHED_S, SETTLES_S, N_RUNS = 20.0, 6.0, 3


def measure() -> Figure:
    shares, threads = [], 0
    for _ in range(N_RUNS):
        with tempfile.TemporaryDirectory() as profile:
            share, threads = _idle_percent(Path(profile))
        shares.append(share)
    against = f"one core; the whole process with its {threads} threads: {spread(shares)} %"
    return Figure("window.idle_cpu", statistics.median(shares), 0.5, "%", against)


def _idle_percent(profile: Path) -> tuple[float, int]:
    with subprocess.Popen(
        command("idle", str(profile)), cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"]
        time.sleep(SETTLES_S)  # titles are given, what was asked of the disk is done
        watched = psutil.Process(process.pid)
        before, began_s = _cpu_s(watched), time.monotonic()
        time.sleep(WATCHED_S)
        used = (_cpu_s(watched) - before) / (time.monotonic() - began_s)
        n_threads = watched.num_threads()
        process.terminate()
        process.wait(PATIENCE_S)
    return 100 * used, n_threads


def _cpu_s(process: psutil.Process) -> float:
    """Of the process and of what it started."""
    every = [process, *process.children(recursive=True)]
    return float(sum(times.user + times.system for times in (each.cpu_times() for each in every)))
