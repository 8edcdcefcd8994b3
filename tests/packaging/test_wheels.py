"""The wheels of dependencies run on the oldest processor that the README promises to support."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys

import pytest

QEMU = shutil.which("qemu-x86_64-static") or shutil.which("qemu-x86_64")
OLDEST = "Nehalem"
"""The oldest supported processor: Intel's first one with SSE 4.2, from 2008."""

MODULES = "numpy, llguidance, markupsafe, psutil, pydantic_core; from PySide6 import QtNetwork, QtSvg, QtWidgets"


@pytest.mark.skipif(QEMU is None or platform.machine() != "x86_64", reason="needs qemu-user on x86-64")
def test_wheels_run_on_the_oldest_supported_processor() -> None:
    command = [str(QEMU), "-cpu", OLDEST, sys.executable, "-c", f"import {MODULES}; print(QtSvg.__name__)"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert (done.returncode, done.stdout) == (0, "PySide6.QtSvg\n"), done.stderr
