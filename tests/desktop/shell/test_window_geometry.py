"""Tests that the stored geometry of the window is fitted to the current screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from pytestqt.qtbot import QtBot

from desktop.platform.theme import Theme
from desktop.shell.main_window import TITLE_BAR, MainWindow

ROOT = Path(__file__).parents[3]
SCREEN = QRect(0, 0, 960, 540)
FREE = SCREEN.size() - QSize(0, TITLE_BAR)
"""Size of the screen without the title bar of the window."""


@pytest.fixture
def kept(qtbot: QtBot, theme: Theme) -> Iterator[MainWindow]:
    """A window whose stored geometry was saved on a larger screen at another position."""
    window = MainWindow(theme)
    qtbot.addWidget(window)
    window.show()
    window.setGeometry(2_000, 900, 1_600, 1_000)
    yield window
    window.hide()


def restored(qtbot: QtBot, theme: Theme, geometry: str, screen: QRect) -> MainWindow:
    window = MainWindow(theme, geometry)
    qtbot.addWidget(window)
    window.fit_to_screen(screen)
    return window


def fits(window: MainWindow) -> bool:
    return SCREEN.contains(QRect(window.pos(), window.size() + QSize(0, TITLE_BAR)))


def test_stored_geometry_is_shrunk_to_a_smaller_screen(qtbot: QtBot, theme: Theme, kept: MainWindow) -> None:
    window = restored(qtbot, theme, kept.geometry_base64, SCREEN)
    assert fits(window)
    window.show()
    assert SCREEN.contains(window.geometry())


@pytest.mark.parametrize("place", [QPoint(-900, -700), QPoint(5_000, 60), QPoint(600, 400)])
def test_stored_geometry_outside_the_screen_is_moved_inside(qtbot: QtBot, theme: Theme, place: QPoint) -> None:
    window = MainWindow(theme)
    qtbot.addWidget(window)
    window.resize(500, 400)
    window.move(place)
    window.fit_to_screen(SCREEN)
    assert fits(window)
    assert window.size() == QSize(500, 400)


def test_window_geometry_that_fits_the_screen_is_unchanged(qtbot: QtBot, theme: Theme) -> None:
    window = MainWindow(theme)
    qtbot.addWidget(window)
    window.setGeometry(100, 80, 600, 420)
    window.fit_to_screen(SCREEN)
    assert window.geometry() == QRect(100, 80, 600, 420)


def test_window_fits_the_screen_when_it_is_no_longer_maximised(qtbot: QtBot, theme: Theme) -> None:
    window = MainWindow(theme)
    qtbot.addWidget(window)
    window.setGeometry(50, 50, 1_600, 1_000)
    window.setWindowState(Qt.WindowState.WindowMaximized)
    window.fit_to_screen(SCREEN)
    assert window.windowState() & Qt.WindowState.WindowMaximized
    window.setWindowState(Qt.WindowState.WindowNoState)
    assert FREE.boundedTo(window.size()) == window.size()


def test_window_fits_screen_smaller_than_its_minimum_size(qtbot: QtBot, theme: Theme) -> None:
    window = restored(qtbot, theme, "", QRect(0, 0, 640, 360))
    assert window.height() <= 360 - TITLE_BAR


SHOW = """
import sys
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
application = QApplication([])
from desktop.launch import screen_of
from desktop.platform.theme import Theme
from desktop.shell.main_window import MainWindow
window = MainWindow(Theme(application, "light"), sys.argv[1])
if sys.argv[1]:
    window.fit_to_screen(screen_of(window).availableGeometry())
else:
    window.setGeometry(150, 60, 1_700, 980)
window.show()
application.processEvents()
free = screen_of(window).availableGeometry().adjusted(0, 0, 1, 1)  # window frames are 1 px wide on this platform
print(free.contains(window.geometry()), window.geometry_base64, *window.size().toTuple())
"""


def shown(folder: Path, scale: float, geometry: str = "") -> tuple[bool, str]:
    """Shows a window in another process. Returns whether it fits a screen of 1920 × 1080 pixels, and its geometry in
    base64."""
    screen = {"name": "s", "x": 0, "y": 0, "width": 1920, "height": 1080, "dpr": 1}
    (folder / "screen.json").write_text(json.dumps({"screens": [screen | {"logicalDpi": 96, "logicalBaseDpi": 96}]}))
    platform = f"offscreen:configfile={folder / 'screen.json'}"
    environment = os.environ | {"QT_SCALE_FACTOR": str(scale), "QT_QPA_PLATFORM": platform}
    command = [sys.executable, "-c", SHOW, geometry]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60)
    fits, text, width, height = done.stdout.split()
    assert int(width) > 800
    assert int(height) > 400
    return fits == "True", text


def test_window_geometry_stored_at_scale_1_fits_the_screen_at_scale_2(tmp_path: Path) -> None:
    _, geometry = shown(tmp_path, 1)
    assert shown(tmp_path, 2, geometry)[0]
