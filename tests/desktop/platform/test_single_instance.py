"""Tests that a second start of the app shows the window of the running instance."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.platform.instance_server import InstanceServer, signal_running_instance
from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until

SECOND = """
import sys
from pathlib import Path
from desktop.launch import launch
from desktop.startup.options import Options
from engine.files.profile import Profile
sys.exit(launch(Options(Profile(Path(sys.argv[1])))))
"""


def test_second_start_reaches_only_the_instance_with_the_same_profile(qtbot: QtBot, tmp_path: Path) -> None:
    listener = InstanceServer(tmp_path)
    try:
        with qtbot.waitSignal(listener.show_requested):
            assert signal_running_instance(tmp_path)
        assert not signal_running_instance(tmp_path / "other", timeout_s=0)
    finally:
        listener.close()
    assert not signal_running_instance(tmp_path, timeout_s=0)


def test_socket_left_by_killed_process_is_replaced(qtbot: QtBot, tmp_path: Path) -> None:
    script = "import os, sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication\n"
    script += "from desktop.platform.instance_server import InstanceServer\napp = QCoreApplication([])\n"
    script += "listener = InstanceServer(Path(sys.argv[1]))\nos._exit(9)"
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, timeout=30)
    listener = InstanceServer(tmp_path)
    try:
        with qtbot.waitSignal(listener.show_requested):
            assert signal_running_instance(tmp_path)
    finally:
        listener.close()


@pytest.mark.qt_log_ignore("does not support raise")
def test_second_start_shows_the_window_of_the_first_instance_and_ends(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    from desktop.platform.instance_lock import InstanceLock

    async def story() -> None:
        lock = InstanceLock(profile.root / "window.lock")
        assert lock.acquire()
        async with open_gui() as gui:
            gui.window.showMinimized()
            command = [sys.executable, "-c", SECOND, str(profile.root)]
            second = await asyncio.to_thread(subprocess.run, command, check=False, timeout=30)
            assert second.returncode == 0
            await until(lambda: not gui.window.windowState() & Qt.WindowState.WindowMinimized)
        lock.release()

    run(story())
