"""`window.stall`: the longest stall of the GUI's loop from the start until an answer of 200 tokens has streamed, less
that of a bare window's loop beside a process that loads the same model and writes as much."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile

from tests.bench.child import ROOT, Idle, environment, run
from tests.bench.figure import Figure, spread

N_TOKENS, N_RUNS = 200, 5


def measure() -> Figure:
    ours, bare = [], []
    for _ in range(N_RUNS):
        with Idle() as idle:
            load = [sys.executable, "-m", "tests.bench.load", "2", str(N_TOKENS)]
            subprocess.run(load, cwd=ROOT, env=environment(), check=True)
        bare.append(1000 * idle.longest_s)
        with tempfile.TemporaryDirectory() as profile:
            ours.append(1000 * float(run("chat-watched", profile, str(N_TOKENS))["longest_s"]))
    added = [mine - theirs for mine, theirs in zip(ours, bare, strict=True)]
    against = f"an idle loop beside the same load: {spread(bare)} ms; ours {spread(ours)} ms"
    return Figure("window.stall", statistics.median(added), 50.0, "ms", against)
