"""`library.fit_low` and `library.fit_high`: the memory foreseen for a model ÷ what a process with it really takes.

Measured with the context full to its last cell, since a system counts only what was touched; the worst of all
contexts and KV types in each direction."""

from __future__ import annotations

import json
import subprocess
import sys

from engine.files.profile import Profile
from engine.library.default_model import find_default_model
from tests.bench.child import PATIENCE_S, ROOT, environment
from tests.bench.figure import Figure

CONTEXTS = (512, 1024, 2048, 4096, 8192, 16_384)
KV_TYPES = ("f16", "q8_0", "q4_0")


def measure() -> tuple[Figure, Figure]:
    shares = {f"{n_ctx:,} {kv_type}": _share(n_ctx, kv_type) for n_ctx in CONTEXTS for kv_type in KV_TYPES}
    low, high = min(shares, key=lambda case: shares[case]), max(shares, key=lambda case: shares[case])
    return (
        Figure("library.fit_low", shares[low], 0.95, "×", f"the least of {len(shares)}, at {low}", "at least"),
        Figure("library.fit_high", shares[high], 1.10, "×", f"the most of {len(shares)}, at {high}"),
    )


def _share(n_ctx: int, kv_type: str) -> float:
    path = find_default_model(Profile.default())
    assert path is not None
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.library_load", str(path), str(n_ctx), kv_type],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    said = json.loads(done.stdout.splitlines()[-1])
    return float(said["predicted"] / said["measured"])
