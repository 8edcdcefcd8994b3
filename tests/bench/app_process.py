"""Starts scenarios of `app_driver` as processes, and reads their results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 180


def environment() -> dict[str, str]:
    """Environment variables for a scenario. There is no screen, and Python's bytecode cache is used, as when a user
    starts the app again."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}


def command(*scenario: str) -> list[str]:
    return [sys.executable, "-m", "tests.bench.app_driver", *scenario]


def run(*scenario: str, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Runs a scenario to its end, and returns the last result that it printed. `variables` are added to its
    environment."""
    done = subprocess.run(
        command(*scenario),
        cwd=ROOT,
        env={**environment(), **(variables or {})},
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def paint_s(*scenario: str) -> float:
    """Seconds from the start of a scenario's process to its first paint."""
    return float(run(*scenario, str(time.time()))["paint_s"])


class BareWindow:
    """An empty window in a process of its own, which runs during the `with` block.

    After the block, `longest_s` is the longest stall of the window's event loop in seconds, and `resident` is the
    memory of its process in bytes."""

    def __enter__(self) -> BareWindow:
        self._process = subprocess.Popen(
            command("bare-idle"), cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def __exit__(self, *_error: object) -> None:
        out, _ = self._process.communicate("end\n", TIMEOUT_S)
        result = json.loads(out.splitlines()[-1])
        self.longest_s: float = result["longest_s"]
        self.resident: int = result["resident"]
