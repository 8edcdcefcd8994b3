"""What the app does before its first paint, and what it leaves for later."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.platform import theme as theme_module
from desktop.platform.theme import Theme
from desktop.shell.main_window import MainWindow
from tests.desktop.conftest import OpenGui, Run, until

ROOT = Path(__file__).parents[3]
NOT_NEEDED = {
    "asyncio",
    "desktop.app",
    "desktop.chat.attachments.attachment_chips",
    "desktop.store.records",
    "desktop.widgets.side_sheet",
    "desktop.widgets.toast",
    "html",
    "platformdirs",
    "psutil",
    "sqlite3",
}

PAINT = """
import gc, os, sys
from pathlib import Path
import desktop.launch
from desktop.__main__ import main

def report(window):
    print(gc.isenabled(), *sys.modules)
    sys.stdout.flush()
    os._exit(0)

desktop.launch._import_app = report
main(["--profile", sys.argv[1]])
"""


def test_first_paint_imports_only_what_it_shows(tmp_path: Path) -> None:
    env = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PAINT, str(tmp_path / "profile")]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=True)
    collects, *modules = done.stdout.split()
    assert collects == "False"
    assert NOT_NEEDED.isdisjoint(modules), NOT_NEEDED.intersection(modules)


def test_window_style_is_fusion() -> None:
    """`Theme` relies on the arguments of the QApplication for the style."""
    code = (
        "import sys; from PySide6.QtWidgets import QApplication; from desktop.platform.theme import STYLE_ARGUMENTS; "
        "print(QApplication([*sys.argv[:1], *STYLE_ARGUMENTS]).style().name())"
    )
    env = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT), "QT_STYLE_OVERRIDE": "Windows"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip().lower() == "fusion"


def test_toast_and_attachment_chips_are_created_at_first_use(qtbot: QtBot, theme: Theme) -> None:
    window = MainWindow(theme)
    qtbot.addWidget(window)
    window.show()
    assert not {"toast", "undo_stack"} & vars(window).keys()
    assert "chips" not in vars(window.chat_page.composer)
    window.toast.show_message("Saved.")
    assert window.toast.isVisible()
    bottom = window.toast.mapTo(window, window.toast.rect().bottomLeft()).y()
    assert bottom < window.chat_page.composer.mapTo(window, window.chat_page.composer.rect().topLeft()).y()


def test_focus_frame_of_composer_is_removed_if_window_never_got_the_focus(run: Run, open_gui: OpenGui) -> None:
    async def steps() -> None:
        async def lose_focus(window: MainWindow) -> None:
            window.chat_page.composer._edit.clearFocus()
            window.chat_page.composer.setProperty("focused", True)  # as before the first event of a new window

        async with open_gui(hurry=lose_focus) as gui:
            await until(lambda: gui.window.chat_page.composer.property("focused") is False)

    run(steps())


def test_icons_are_drawn_at_double_size_once_a_screen_needs_it(
    qapp: QApplication, theme: Theme, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    assert [size.width() for size in theme.icon("plug").availableSizes()] == [16]
    monkeypatch.setattr(theme_module, "_icon_scales", lambda: (1, 2))
    with qtbot.waitSignal(theme.changed):
        qapp.primaryScreen().logicalDotsPerInchChanged.emit(96.0)
    assert [size.width() for size in theme.icon("plug").availableSizes()] == [16, 32]
