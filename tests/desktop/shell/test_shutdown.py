"""Tests of closing the app: it ends in time even if a thread is stuck, and a new start waits until it has ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QProgressDialog

from desktop import app
from desktop.chat.attachments.file_reader import FileReader
from desktop.models.model_controller import ModelController
from desktop.platform.instance_lock import InstanceLock
from desktop.startup.options import Options
from desktop.startup.running_instance import wait_for_running_instance
from desktop.store.records import Attachment
from engine.engine import Engine
from engine.errors import EngineError
from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.desktop.shell.test_process import ROOT
from tests.fakes import Script

STALLED_SCAN = """
import sys, threading
from pathlib import Path
from PySide6.QtCore import QTimer
from desktop.launch import launch
from desktop.startup.options import Options
from engine.files.profile import Profile
import desktop.launch as launching

entered = threading.Event()

def stall(*_):
    entered.set()
    threading.Event().wait()

def press(window):
    if window.view("models") is None:
        QTimer.singleShot(50, lambda: press(window))
    else:
        window.show_page("models")
        quit_when_stalled(window)

def quit_when_stalled(window):
    if entered.is_set():
        window.quit()
    else:
        QTimer.singleShot(50, lambda: quit_when_stalled(window))

real = launching._import_app
def import_app(window):
    module = real(window)
    import desktop.models.library_controller as library, desktop.app as app
    if sys.argv[2] == "scan":
        library.scan = stall
        QTimer.singleShot(0, lambda: press(window))
    else:
        app.read_key = stall
        QTimer.singleShot(0, lambda: quit_when_stalled(window))
    return module
launching._import_app = import_app
sys.exit(launch(Options(Profile(Path(sys.argv[1])), Path(sys.argv[1]) / "missing.gguf")))
"""


@pytest.mark.parametrize("what", ["scan", "pool"])
def test_process_ends_although_a_thread_is_stuck(tmp_path: Path, what: str) -> None:
    command = [sys.executable, "-c", STALLED_SCAN, str(tmp_path), what]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=50)
    assert ended.returncode == (0 if what == "scan" else 1), "a daemon thread is no failure; one of the pool is"
    lock = InstanceLock(tmp_path / "window.lock")
    assert lock.acquire()
    lock.release()


def test_attachment_on_stalled_drive_can_be_removed_and_does_not_delay_closing(
    run: Run, open_gui: OpenGui, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def stall(self: FileReader, path: Path) -> Attachment:
        answers.wait()
        return Attachment(path.name, "text", "late")

    monkeypatch.setattr(FileReader, "read", stall)

    async def story() -> None:
        try:
            async with open_gui(Script(answer=b"Yes.")) as gui:
                composer = gui.window.chat_page.composer
                await until(lambda: gui.ready)
                composer.files_given.emit([Path("far.txt")])
                assert not composer._can_send()
                composer.removal_requested.emit(composer.chips.chips[0].item.id)
                type_and_send(gui, "Hi")
                await answered(gui)
                composer.files_given.emit([Path("farther.txt")])
                began = time.monotonic()
            assert time.monotonic() - began < 5
        finally:
            answers.set()

    run(story())


def test_unexpected_error_while_reading_a_file_does_not_block_the_composer(
    run: Run, open_gui: OpenGui, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: FileReader, path: Path) -> Attachment:
        raise ValueError("embedded null byte")

    monkeypatch.setattr(FileReader, "read", fail)

    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            gui.window.chat_page.composer.files_given.emit([Path("odd.txt")])
            await until(lambda: "null byte" in gui.window.toast.text)
            assert not gui.window.chat_page.composer.chips.chips
            type_and_send(gui, "Hi")
            await answered(gui)

    run(story())


def test_start_waits_with_dialog_until_closing_instance_has_ended(qapp: QApplication, profile: Profile) -> None:
    path = profile.root / "window.lock"
    ending, starting = InstanceLock(path), InstanceLock(path)
    assert ending.acquire()
    shown: list[bool] = []

    def end() -> None:
        while not shown:
            time.sleep(0.01)
        ending.release()

    thread = threading.Thread(target=end)
    thread.start()

    class Watched(InstanceLock):
        def acquire(self) -> bool:
            if any(isinstance(each, QProgressDialog) and each.isVisible() for each in qapp.topLevelWidgets()):
                shown.append(True)
            return starting.acquire()

    assert wait_for_running_instance(qapp, Watched(path), Options(profile)) == "locked"
    thread.join()
    starting.release()


def test_start_on_locked_profile_gives_up_after_the_time_limit(qapp: QApplication, profile: Profile) -> None:
    path = profile.root / "window.lock"
    other = InstanceLock(path)
    assert other.acquire()
    assert wait_for_running_instance(qapp, InstanceLock(path), Options(profile), closing_s=0.3) == "not responding"
    other.release()


def test_failed_start_closes_the_services_that_were_opened(
    run: Run, open_gui: OpenGui, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(services: object) -> None:
        raise OSError("no pages")

    monkeypatch.setattr(app, "_open_chat_page", fail)

    async def story() -> None:
        with pytest.raises(OSError, match="no pages"):
            async with open_gui():
                pass

    run(story())
    assert "closing the drafts failed" not in caplog.text


def test_unexpected_load_error_is_raised_to_callers_that_wait_for_the_model(run: Run) -> None:
    def broken() -> Engine:
        raise ImportError("no such library")

    async def story() -> None:
        models = ModelController(broken)
        assert not await models.load(Path("any.gguf"))
        assert models.status.state == "empty"
        with pytest.raises(EngineError, match="no such library"):
            await models.ready()
        await models.aclose()

    run(story())
