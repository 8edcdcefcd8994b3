"""`app.memory`: resident memory of the app after an answer, less the model's file, its KV memory and a bare window."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile

from engine.backend import LoadSettings
from engine.files.profile import Profile
from engine.library.default_model import find_default_model
from engine.native.backend import open_native
from tests.bench.child import ROOT, Idle, environment, run
from tests.bench.figure import Figure

N_RUNS = 3
MB = 1024 * 1024


def measure() -> Figure:
    path = find_default_model(Profile.default())
    assert path is not None
    backend = open_native(path, LoadSettings(), lambda progress: True)
    info = backend.info
    backend.close()
    added = []
    for _ in range(N_RUNS):
        with Idle() as idle:
            subprocess.run([sys.executable, "-c", ""], cwd=ROOT, env=environment(), check=True)
        with tempfile.TemporaryDirectory() as profile:
            resident = int(run("chat", profile, "100")["resident"])
        added.append((resident - info.size_bytes - info.kv_bytes - idle.resident) / MB)
    against = (
        f"{resident / MB:.0f} MB less model {info.size_bytes / MB:.0f}, KV {info.kv_bytes / MB:.0f}, "
        f"bare window {idle.resident / MB:.0f} MB"
    )
    return Figure("app.memory", statistics.median(added), 150.0, "MB", against)
