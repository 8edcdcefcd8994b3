"""The app as a process: it ends cleanly when it is asked to, and starts again when it was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.desktop.test_crash import ROOT


def start(profile: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "desktop", "--profile", str(profile), "--model", str(profile / "missing.gguf")]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def wait_for(process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    for _ in range(400):
        if condition():
            return
        try:
            code = process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"ended early with {code}")
    pytest.fail("nothing came of it")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a matter of POSIX")
def test_a_signal_closes_cleanly_and_a_crash_keeps_nobody_out(tmp_path: Path) -> None:
    chats, key = tmp_path / "chats.sqlite3", tmp_path / "endpoint.key"
    with start(tmp_path) as first:
        wait_for(first, lambda: chats.exists() and key.exists())
        first.kill()
    assert not (tmp_path / "settings.json").exists()
    for wish in (signal.SIGTERM, signal.SIGINT):
        key.unlink()
        with start(tmp_path) as again:
            wait_for(again, key.exists)
            again.send_signal(wish)
            _, complaints = again.communicate(timeout=20)
        assert (again.returncode, complaints) == (0, "")
        assert not chats.with_name(chats.name + "-wal").exists()
    assert (tmp_path / "settings.json").exists()
