"""Runs the fuzzers of the soak test, each in a process of its own: `python -m tests.soak.fuzzers MODULE SECONDS
[SEED]`.

To add a fuzzer, add its module to `FUZZERS`. The module must have a function `fuzz(seconds: float, seed: int) ->
list[str]`. It tries inputs for about `seconds`. It returns one line for each input that failed, or that exceeded a
limit of time or memory."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FUZZERS = (
    "tests.api.fuzz_body_costs",
    "tests.desktop.chat.attachments.reader_fuzz",
    "tests.desktop.render.fuzzing",
    "tests.engine.library.gguf_fuzz",
    "tests.engine.prompt.template_fuzz",
    "tests.engine.native.tokenizer_fuzz",
)

ROOT = Path(__file__).resolve().parents[2]
EXTRA_TIMEOUT_S = 120.0
"""How many seconds a fuzzer may run beyond the given duration: time for its start and its last input."""


def run_all(seconds: float, seed: int, modules: Sequence[str] = FUZZERS) -> list[str]:
    """Runs all fuzzers one after another. `seconds` is the total time. Returns the findings of all fuzzers."""
    return [f"{module}: {each}" for module in modules for each in run_one(module, seconds / max(len(modules), 1), seed)]


def run_one(module: str, seconds: float, seed: int) -> list[str]:
    """Runs a fuzzer and returns its findings. If the fuzzer itself crashes or exceeds its time, that is a finding
    too."""
    command = [sys.executable, "-m", "tests.soak.fuzzers", module, str(seconds), str(seed)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + EXTRA_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return [f"did not end within {seconds + EXTRA_TIMEOUT_S:.0f} s"]
    if done.returncode:
        return [f"ended with {done.returncode}: {done.stderr.strip()[-500:]}"]
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    found = importlib.import_module(sys.argv[1]).fuzz(float(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else 4645)
    sys.stdout.write(json.dumps(found) + "\n")
