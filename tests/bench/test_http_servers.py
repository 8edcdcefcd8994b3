"""The benchmarks find a llama-server to compare with, or report why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import http_servers


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path where `make llama-server` puts its result. The file does not exist, and PATH contains only an empty
    folder."""
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(http_servers, "LLAMA_SERVER", tmp_path / "llama-server")
    return tmp_path / "llama-server"


def _write_program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_missing_llama_server_is_reported_with_the_command_that_builds_it(built: Path) -> None:
    assert http_servers.find_llama_server() is None
    assert "`make llama-server`" in str(http_servers.no_llama_server())


def test_built_llama_server_takes_precedence_over_one_on_path(built: Path) -> None:
    on_path = built.parent / "path" / "llama-server"
    _write_program(on_path, "exit 0")
    assert http_servers.find_llama_server() == str(on_path)
    assert http_servers.no_llama_server() is None

    _write_program(built, "exit 0")
    assert http_servers.find_llama_server() == str(built)
    assert http_servers.no_llama_server() is None


@pytest.mark.parametrize("content", [b"#!/bin/sh\nexit 127\n", b"\0of another machine"])
def test_llama_server_that_does_not_start_is_reported_without_its_absolute_path(built: Path, content: bytes) -> None:
    built.write_bytes(content)
    built.chmod(0o755)

    reason = str(http_servers.no_llama_server())
    assert reason.startswith("build/peer/llama-server does not start")
    assert str(built.parent) not in reason
