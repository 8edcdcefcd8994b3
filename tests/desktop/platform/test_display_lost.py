"""Tests of the loss of the display server: the app saves its state, logs the loss, and ends by itself."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.desktop.shell.test_process import ROOT, wait_for

ENDS_S = 30.0
"""The longest time that the app may take to end on a busy machine. Usually it takes half a second."""

pytestmark = pytest.mark.skipif(not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool")


class Screen(NamedTuple):
    server: subprocess.Popen[bytes]
    environment: dict[str, str]

    def does(self, *argv: str) -> str:
        done = subprocess.run(["xdotool", *argv], env=self.environment, capture_output=True, text=True, timeout=20)
        return done.stdout.strip() if done.returncode == 0 else ""


@pytest.fixture
def screen() -> Iterator[Screen]:
    """Starts an X server on a free display number."""
    told, tells = os.pipe()
    command = ["Xvfb", "-displayfd", str(tells), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[tells], stderr=subprocess.DEVNULL) as server:
        os.close(tells)
        with os.fdopen(told) as reader:
            number = reader.readline().strip()
        yield Screen(server, os.environ | {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"})
        server.kill()


def start(screen: Screen, profile: Path, model: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "desktop", "--profile", str(profile), "--model", str(model)]
    return subprocess.Popen(command, cwd=ROOT, env=screen.environment, stderr=subprocess.PIPE, text=True)


def rows_of(profile: Path, question: str) -> list[tuple[str, ...]]:
    path = profile / "chats.sqlite3"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        try:
            return connection.execute(question).fetchall()
        except sqlite3.OperationalError:  # the app has not created the tables of the database yet
            return []


def kill_display(screen: Screen, process: subprocess.Popen[str]) -> tuple[float, str]:
    """Kills the X server. Returns the seconds until the app ended, and the app's error output."""
    screen.server.send_signal(signal.SIGKILL)
    screen.server.wait()
    dead_s = time.monotonic()
    try:
        _, output = process.communicate(timeout=ENDS_S)
    finally:
        process.kill()
    return time.monotonic() - dead_s, output


def test_lost_display_ends_the_app_with_answer_and_draft_saved(
    tmp_path: Path, screen: Screen, model_path: Path
) -> None:
    log = tmp_path / "inglenook.log"
    answers = "SELECT state, text FROM messages WHERE role = 'assistant'"
    drafts = "SELECT text FROM drafts"
    with start(screen, tmp_path, model_path) as process:

        def wait(condition: Callable[[], object]) -> None:
            wait_for(process, lambda: bool(condition()))

        wait(lambda: log.exists() and "the model: ready" in log.read_text(encoding="utf-8"))
        window = screen.does("search", "--onlyvisible", "--name", "Inglenook").split()[0]
        screen.does("windowfocus", "--sync", window)
        screen.does("type", "--delay", "5", "Tell me a very long story about the sea.")
        screen.does("key", "Return")
        wait(lambda: any(text for _, text in rows_of(tmp_path, answers)))
        screen.does("type", "--delay", "5", "and then")
        wait(lambda: rows_of(tmp_path, drafts) == [("and then",)])
        ended_after_s, output = kill_display(screen, process)
    assert process.returncode in (0, 1), output  # the exit code is 1 if unloading the model took too long
    assert "Traceback" not in output
    assert ended_after_s < ENDS_S
    [(state, text)] = rows_of(tmp_path, answers)
    assert state in ("stopped", "complete", "streaming")
    assert text
    assert rows_of(tmp_path, drafts) == [("and then",)]
    assert (tmp_path / "settings.json").exists()
    words = log.read_text(encoding="utf-8")
    assert "the display is gone" in words
    assert words.rstrip().endswith("ended")


def test_loss_of_the_display_during_start_ends_the_app(tmp_path: Path, screen: Screen) -> None:
    with start(screen, tmp_path, tmp_path / "missing.gguf") as process:
        wait_for(process, lambda: bool(screen.does("search", "--onlyvisible", "--name", "Inglenook")))
        ended_after_s, output = kill_display(screen, process)
    assert (process.returncode, "Traceback" in output) == (0, False), output
    assert ended_after_s < ENDS_S
