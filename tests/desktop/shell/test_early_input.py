"""Keys and clicks between the first paint and the end of the start."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from desktop.shell.command_palette import CommandPalette
from desktop.shell.main_window import MainWindow
from tests.desktop.conftest import Gui, OpenGui, Run, until

CONTROL = Qt.KeyboardModifier.ControlModifier


def press_key(
    window: MainWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier, text: str = ""
) -> None:
    """Sends a key press to the native window. `QTest.keyClick` would run the event loop inside of a task."""
    QCoreApplication.sendEvent(window.windowHandle(), QKeyEvent(QEvent.Type.KeyPress, key, modifiers, text))


def start_with(run: Run, open_gui: OpenGui, act: Callable[[MainWindow], None], check: Callable[[Gui], None]) -> None:
    """Opens the app, calls `act` after the first paint, and `check` when the app is ready."""

    async def act_after_first_paint(window: MainWindow) -> None:
        await until(lambda: window._painted)
        act(window)
        assert not window.is_ready

    async def steps() -> None:
        async with open_gui(hurry=act_after_first_paint) as gui:
            check(gui)

    run(steps())


def test_keys_after_early_shortcut_go_where_it_moved_the_focus(run: Run, open_gui: OpenGui) -> None:
    def press(window: MainWindow) -> None:
        press_key(window, Qt.Key.Key_H, text="h")
        press_key(window, Qt.Key.Key_K, CONTROL)
        for key, text in ((Qt.Key.Key_E, "e"), (Qt.Key.Key_N, "n"), (Qt.Key.Key_D, "d")):
            press_key(window, key, text=text)

    def check(gui: Gui) -> None:
        palette = gui.window.findChild(CommandPalette)
        assert palette is not None
        assert palette.isVisible()
        assert gui.window.chat_page.composer.text == "h"
        assert palette._field.text() == "end"

    start_with(run, open_gui, press, check)


def test_page_opens_by_early_shortcut(run: Run, open_gui: OpenGui) -> None:
    def press(window: MainWindow) -> None:
        press_key(window, Qt.Key.Key_F1)

    def check(gui: Gui) -> None:
        assert gui.window.is_page_shown("help")

    start_with(run, open_gui, press, check)


def test_early_shortcut_of_the_text_field_acts_at_once(run: Run, open_gui: OpenGui) -> None:
    def press(window: MainWindow) -> None:
        window.chat_page.composer.show_text("early")
        press_key(window, Qt.Key.Key_A, CONTROL)
        press_key(window, Qt.Key.Key_X, text="x")
        assert window.chat_page.composer.text == "x"

    start_with(run, open_gui, press, lambda gui: None)


def test_page_opens_by_early_click(run: Run, open_gui: OpenGui) -> None:
    def click(window: MainWindow) -> None:
        QTest.mouseClick(window.sidebar.page_buttons["endpoint"], Qt.MouseButton.LeftButton)

    def check(gui: Gui) -> None:
        assert gui.window.is_page_shown("endpoint")

    start_with(run, open_gui, click, check)


def test_name_in_sidebar_stays_in_place_when_chat_list_is_added(run: Run, open_gui: OpenGui) -> None:
    places: list[QPoint] = []

    def note(window: MainWindow) -> None:
        name = window.sidebar.findChild(QLabel, "brand")
        assert name is not None
        places.append(name.mapTo(window, QPoint(0, 0)))

    def check(gui: Gui) -> None:
        note(gui.window)
        assert places[0] == places[1]
        assert gui.chats.height() > gui.window.height() / 2

    start_with(run, open_gui, note, check)
