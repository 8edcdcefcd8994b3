"""The README's examples, routes and numbers that concern the endpoint are correct."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.settings import DEFAULT_PORT, EndpointSettings
from tests.api.live_endpoint import KEY, Live, routes_of

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def example(begin: str, endpoint: Live) -> str:
    """Returns the README's code block that begins with `begin`, with the port replaced by the test endpoint's port."""
    (found,) = [code for code in re.findall(r"^```\w*\n(.*?)^```", README, re.M | re.S) if code.startswith(begin)]
    assert f"127.0.0.1:{DEFAULT_PORT}" in found
    return str(found).replace(f":{DEFAULT_PORT}", f":{endpoint.server.port}")


def environment() -> dict[str, str]:
    proxies = {"http_proxy", "https_proxy", "all_proxy"}
    return {n: v for n, v in os.environ.items() if n.lower() not in proxies} | {"INGLENOOK_API_KEY": KEY}


@pytest.mark.skipif(shutil.which("curl") is None or sys.platform == "win32", reason="wants curl and a POSIX shell")
def test_curl_example_is_answered(endpoint: Live) -> None:
    done = subprocess.run(
        ["sh", "-c", example("curl ", endpoint)], env=environment(), capture_output=True, text=True, timeout=30
    )
    assert "Hello there." in done.stdout, done.stderr


def test_python_example_is_answered(endpoint: Live) -> None:
    code = example("import os", endpoint)
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("Hello there.", 0), done.stderr


def test_every_route_in_readme_exists(endpoint: Live) -> None:
    table = re.search(r"^\| dialect \| routes \|\n(.*?)\n\n", README, re.M | re.S)
    assert table is not None
    ways = dict(re.findall(r"^\| (\w[\w.]*) \| (.+) \|$", table[1], re.M))
    assert set(ways) == {"OpenAI", "Anthropic", "Ollama", "llama.cpp", "Inglenook"}
    there = {path for path, _ in routes_of(endpoint.app)}

    for way, text in ways.items():
        named = set(re.findall(r"`(/[\w/.-]+)`", text)) - {"/v1"}
        assert named
        assert named <= there, way
        if "the same without `/v1`" in text:
            assert {path.removeprefix("/v1") for path in named} <= there, way


def test_request_limit_in_readme_is_the_default() -> None:
    (most,) = re.findall(r"More than\s(\d+) requests at once", README)
    assert int(most) == EndpointSettings(KEY).max_requests
