"""Tests of the app as a process: it ends cleanly on a signal, and can be started again after a crash."""

from __future__ import annotations

import base64
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def start(profile: Path, platform: str = "offscreen") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "desktop", "--profile", str(profile), "--model", str(profile / "missing.gguf")]
    environment = os.environ | {"QT_QPA_PLATFORM": platform}
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
def test_app_started_after_a_crash_is_closed_cleanly_by_a_signal(tmp_path: Path) -> None:
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


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a matter of POSIX")
@pytest.mark.parametrize(("screen", "size"), [((1093, 614), (1093, 574)), ((1920, 1080), (1100, 750))])
def test_window_fits_the_screen_at_the_first_start(
    tmp_path: Path, screen: tuple[int, int], size: tuple[int, int]
) -> None:
    width, height = screen
    only = {"name": "s", "x": 0, "y": 0, "width": width, "height": height}
    (tmp_path / "screen.json").write_text(
        json.dumps({"screens": [only | {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}]})
    )
    profile = tmp_path / "profile"
    with start(profile, f"offscreen:configfile={tmp_path / 'screen.json'}") as process:
        wait_for(process, (profile / "endpoint.key").exists)
        process.terminate()
        assert process.wait(20) == 0
    kept = base64.b64decode(json.loads((profile / "settings.json").read_text())["geometry"])
    # The geometry follows the header and the frame geometry in the bytes of `saveGeometry`.
    left, top, right, bottom = struct.unpack_from(">4i", kept, 24)
    assert (right - left + 1, bottom - top + 1) == size
