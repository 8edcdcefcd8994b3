"""The Python client `instructor`, in its own process, because it needs older packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.real_endpoint import RealEndpoint

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "build" / "clients" / "instructor"


@pytest.mark.skipif(not PACKAGES.exists(), reason="`make test` puts instructor into build/clients")
def test_instructor_reads_structured_answers_and_errors(endpoint: RealEndpoint) -> None:
    command = [sys.executable, str(Path(__file__).with_name("instructor_script.py")), endpoint.url, endpoint.key]
    env = {**os.environ, "PYTHONPATH": str(PACKAGES), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert value.pop("models") == [endpoint.model]
    assert value.pop("errors") == {
        "key": ["AuthenticationError", 401, "invalid_api_key"],
        "long": ["BadRequestError", 400, "context_length_exceeded"],
    }
    assert set(value) == {"TOOLS", "JSON_SCHEMA", "partial"}
    assert set(value.values()) <= {"red", "blue"}
    endpoint.last_request()  # waits until all requests have ended
    # The test identifies the requests by their state, not by their order: the aborted stream may end after the refused
    # request.
    by_state = {call.state: call for call in endpoint.calls() if call.state != "finished"}
    assert set(by_state) == {"failed", "cancelled"}
    assert by_state["cancelled"].n_output < 900
