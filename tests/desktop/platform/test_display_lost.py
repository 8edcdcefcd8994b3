"""Loss of the display: the app saves, logs it, and ends by itself."""

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

from tests.desktop.shell.test_process import wait_for
from tests.desktop.test_crash import ROOT

ENDS_S = 30.0
"""An upper bound for closing on a busy machine; usually it takes half a second."""

pytestmark = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="wants an X server and a person's hands on it"
)


class Screen(NamedTuple):
    server: subprocess.Popen[bytes]
    environment: dict[str, str]

    def does(self, *argv: str) -> str:
        done = subprocess.run(["xdotool", *argv], env=self.environment, capture_output=True, text=True, timeout=20)
        return done.stdout.strip() if done.returncode == 0 else ""


@pytest.fixture
def screen() -> Iterator[Screen]:
    """An X server on a free display number."""
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


def kept(profile: Path, question: str) -> list[tuple[str, ...]]:
    path = profile / "chats.sqlite3"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        try:
            return connection.execute(question).fetchall()
        except sqlite3.OperationalError:  # the tables do not exist yet
            return []


def dies(screen: Screen, process: subprocess.Popen[str]) -> tuple[float, str]:
    """Kills the X server; returns the seconds until the process ended, and its output."""
    screen.server.send_signal(signal.SIGKILL)
    screen.server.wait()
    dead_s = time.monotonic()
    try:
        _, said = process.communicate(timeout=ENDS_S)
    finally:
        process.kill()
    return time.monotonic() - dead_s, said


def test_lost_display_saves_answer_and_draft_and_ends_the_app(tmp_path: Path, screen: Screen, model_path: Path) -> None:
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
        wait(lambda: any(text for _, text in kept(tmp_path, answers)))
        screen.does("type", "--delay", "5", "and then")
        wait(lambda: kept(tmp_path, drafts) == [("and then",)])
        took_s, said = dies(screen, process)
    assert process.returncode in (0, 1), said  # 1 if the model took too long to unload
    assert "Traceback" not in said
    assert took_s < ENDS_S
    [(state, text)] = kept(tmp_path, answers)
    assert state in ("stopped", "complete", "streaming")
    assert text
    assert kept(tmp_path, drafts) == [("and then",)]
    assert (tmp_path / "settings.json").exists()
    words = log.read_text(encoding="utf-8")
    assert "the display is gone" in words
    assert words.rstrip().endswith("ended")


def test_display_lost_during_start_ends_the_app(tmp_path: Path, screen: Screen) -> None:
    with start(screen, tmp_path, tmp_path / "missing.gguf") as process:
        wait_for(process, lambda: bool(screen.does("search", "--onlyvisible", "--name", "Inglenook")))
        took_s, said = dies(screen, process)
    assert (process.returncode, "Traceback" in said) == (0, False), said
    assert took_s < ENDS_S
