"""instructor, from PyPI, with the older packages that it asks for, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.house import House

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "build" / "clients" / "instructor"


@pytest.mark.skipif(not PACKAGES.exists(), reason="`make test` puts instructor into build/clients")
def test_instructor_gets_what_it_asks_for(served: House) -> None:
    command = [sys.executable, str(Path(__file__).with_name("ask_instructor.py")), served.url, served.key]
    env = {**os.environ, "PYTHONPATH": str(PACKAGES), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.pop("models") == [served.model]
    assert told.pop("errors") == {
        "key": ["AuthenticationError", 401, "invalid_api_key"],
        "long": ["BadRequestError", 400, "context_length_exceeded"],
    }
    assert set(told) == {"TOOLS", "JSON_SCHEMA", "partial"}
    assert set(told.values()) <= {"red", "blue"}
    assert served.last_call().state == "failed"  # the prompt that was too long
    aborted = next(call for call in served.calls() if call.state == "cancelled")
    assert aborted.n_output < 900
