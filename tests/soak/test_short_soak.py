"""A soak test of about 15 seconds: no text is lost, and no request gets an unexpected answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(240)
def test_short_soak_loses_no_text_and_gets_no_unexpected_answers(model_path: Path) -> None:
    command = [sys.executable, "-m", "tests.soak", "0.25"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=230)
    rows = {line.split()[1]: line for line in done.stdout.splitlines() if " soak." in line}
    assert rows, done.stderr
    assert rows["soak.lost"].startswith("ok"), done.stdout
    assert rows["soak.fuzz"].startswith("ok"), done.stdout
    assert rows["soak.odd_answers"].startswith("ok"), done.stdout
    assert "Traceback" not in done.stderr, done.stderr
