"""Starts the driver's scenarios and reads what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 180


def environment() -> dict[str, str]:
    """That of a person's second start: what Python compiles of the sources is kept, as it is unless told otherwise."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}


def command(*scenario: str) -> list[str]:
    return [sys.executable, "-m", "tests.bench.driver", *scenario]


def run(*scenario: str) -> dict[str, Any]:
    """One scenario to its end; what it said last."""
    done = subprocess.run(
        command(*scenario),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


def paint_s(*scenario: str) -> float:
    """Seconds from the start of the process to its first paint."""
    return float(run(*scenario, str(time.time()))["paint_s"])


class Idle:
    """A bare window beside some load: `longest_s` and `resident` once the block is left."""

    def __enter__(self) -> Idle:
        self._process = subprocess.Popen(
            command("bare-idle"), cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def __exit__(self, *_error: object) -> None:
        out, _ = self._process.communicate("end\n", PATIENCE_S)
        seen = json.loads(out.splitlines()[-1])
        self.longest_s: float = seen["longest_s"]
        self.resident: int = seen["resident"]
