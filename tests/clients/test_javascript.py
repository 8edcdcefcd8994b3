"""Clients from npm, run by node in their own processes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.real_endpoint import RealEndpoint

SCRIPTS = Path(__file__).with_name("js")
PACKAGES = Path(__file__).resolve().parents[2] / "build" / "clients" / "js"

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here"),
    pytest.mark.skipif(not (PACKAGES / "made-for").exists(), reason="`make test` puts them into build/clients by npm"),
]

OVERFLOW = "maximum context length is"
NO_KEY = "needs its key"
REFUSALS = {
    "openai": ("BadRequestError", "AuthenticationError"),
    "anthropic": ("BadRequestError", "AuthenticationError"),
    "ollama": ("ResponseError", "ResponseError"),
    "ai-sdk": ("APICallError", "APICallError"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_javascript_client_reads_answers_and_errors(endpoint: RealEndpoint, name: str, tmp_path: Path) -> None:
    found = _run(name, endpoint, tmp_path)
    assert found["models"] in ([endpoint.model], None)
    assert found["whole"] == found["streamed"] != ""
    assert found["colour"] in ("red", "blue")
    for refused, kind, status, words in zip(
        (found["overflow"], found["wrongKey"]), REFUSALS[name], (400, 401), (OVERFLOW, NO_KEY), strict=True
    ):
        assert (refused["kind"], refused["status"]) == (kind, status)
        assert words in refused["message"]
    assert found["abort"]
    endpoint.assert_last_was_cancelled()


def _run(name: str, endpoint: RealEndpoint, folder: Path) -> dict[str, Any]:
    """Runs the script of a client, and returns its JSON output. The script is copied to the folder in which node finds
    packages."""
    for script in SCRIPTS.glob("*.mjs"):
        shutil.copy(script, folder)
    (folder / "node_modules").symlink_to(PACKAGES / "node_modules")
    command = ["node", str(folder / f"{name}.mjs"), endpoint.root, endpoint.key]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
