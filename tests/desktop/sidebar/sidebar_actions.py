"""Mouse and menu actions on the sidebar of the window under test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from desktop.sidebar.selection_bar import SelectionBar
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run
from tests.desktop.drag_events import drag_enter, drag_move, dropped
from tests.desktop.shell.test_main_window import titles
from tests.desktop.sidebar.test_gallery_sidebar import fill_folders, listed, middle

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
PLAIN = Qt.KeyboardModifier.NoModifier

INITIAL_ROWS = [
    "Pinned", "Reading group notes", "Rust borrow checker",
    "Folders", "Garden and house", "Garden plan for March", "Letter to the landlord", "Code",
    "Today", "Sea shanties", "Parse a CSV with quotes", "Titles for the talk",
    "This week", "Why is the sky dark at night?",
    "Archive",
]  # fmt: skip

ROWS_WITH_ARCHIVE = [*INITIAL_ROWS, "Tax return 2024", "Bicycle tour along the Danube"]

IGNORES_MENU_WARNING = pytest.mark.qt_log_ignore("This plugin does not support")
"""The offscreen platform logs a warning when a menu or dialog opens. Tests with this mark ignore it."""


def run_in_window(run: Run, open_gui: OpenGui, profile: Profile, story: Any) -> None:
    async def whole() -> None:
        await fill_folders(profile)
        async with open_gui() as gui:
            await listed(gui)
            assert titles(gui) == INITIAL_ROWS
            await story(gui)

    run(whole())


def click(gui: Gui, index: QModelIndex, held: Qt.KeyboardModifier = PLAIN) -> None:
    assert index.isValid()
    gui.chats.scrollTo(index)
    QTest.mouseClick(gui.chats.viewport(), Qt.MouseButton.LeftButton, held, middle(gui, index))


def click_title(gui: Gui, title: str, held: Qt.KeyboardModifier = PLAIN) -> None:
    click(gui, gui.chats.model().index(titles(gui).index(title), 0), held)


def drop(gui: Gui, chat_ids: Sequence[str], title: str) -> None:
    chats, view = gui.chats.chats, gui.chats
    index = chats.index(titles(gui).index(title))
    view.scrollTo(index)
    at, data = middle(gui, index), chats.mimeData([chats.index_of(chat_id) for chat_id in chat_ids])
    move = Qt.DropAction.MoveAction
    for event in (drag_enter(at, data, move), drag_move(at, data, move), dropped(at, data, move)):
        QApplication.sendEvent(view.viewport(), event)
        assert event.isAccepted()


def menu_of(gui: Gui) -> QMenu:
    return next(each for each in gui.chats.findChildren(QMenu) if each.isVisible())


def open_menu(gui: Gui, index: QModelIndex) -> QMenu:
    at = middle(gui, index)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, gui.chats.viewport().mapToGlobal(at))
    QApplication.sendEvent(gui.chats.viewport(), event)
    return menu_of(gui)


def trigger(menu: QMenu, *words: str) -> None:
    """Triggers the menu entry with the last of `words` as text. The words before it are the submenus that contain the
    entry."""
    top = menu
    for word in words[:-1]:
        action = next(each for each in menu.actions() if each.text() == word)
        menu = next(each for each in menu.findChildren(QMenu) if each.menuAction() is action)
    next(each for each in menu.actions() if each.text() == words[-1]).trigger()
    top.close()


def selected_titles(gui: Gui) -> list[str]:
    return [chat.title for chat in gui.chats.selected_chats()]


def selection_bar(gui: Gui) -> Any:
    return gui.window.findChild(SelectionBar)
