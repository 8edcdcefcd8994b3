"""The sidebar at a person's hand: its folders filled, its rows clicked, dragged and asked for their menu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from desktop.widgets.chosen_bar import ChosenBar
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run
from tests.desktop.drag_events import drag_enter, drag_move, dropped
from tests.desktop.test_gallery_chats import fill_shelves, listed, middle
from tests.desktop.test_window import titles

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
PLAIN = Qt.KeyboardModifier.NoModifier

AS_FILLED = [
    "Pinned", "Reading group notes", "Rust borrow checker",
    "Folders", "Garden and house", "Garden plan for March", "Letter to the landlord", "Code",
    "Today", "Sea shanties", "Parse a CSV with quotes", "Titles for the talk",
    "This week", "Why is the sky dark at night?",
    "Archive",
]  # fmt: skip

UNFOLDED = [*AS_FILLED, "Tax return 2024", "Bicycle tour along the Danube"]

MENUS = pytest.mark.qt_log_ignore("This plugin does not support")
"""The platform without a screen says it of menus and dialogs."""


def live_in(run: Run, open_house: OpenHouse, profile: Profile, story: Any) -> None:
    async def whole() -> None:
        await fill_shelves(profile)
        async with open_house() as house:
            await listed(house)
            assert titles(house) == AS_FILLED
            await story(house)

    run(whole())


def click(house: House, index: QModelIndex, held: Qt.KeyboardModifier = PLAIN) -> None:
    assert index.isValid()
    house.chats.scrollTo(index)
    QTest.mouseClick(house.chats.viewport(), Qt.MouseButton.LeftButton, held, middle(house, index))


def click_title(house: House, title: str, held: Qt.KeyboardModifier = PLAIN) -> None:
    click(house, house.chats.model().index(titles(house).index(title), 0), held)


def drop(house: House, chat_ids: Sequence[str], title: str) -> None:
    chats, view = house.chats.chats, house.chats
    index = chats.index(titles(house).index(title))
    view.scrollTo(index)
    at, data = middle(house, index), chats.mimeData([chats.index_of(chat_id) for chat_id in chat_ids])
    move = Qt.DropAction.MoveAction
    for event in (drag_enter(at, data, move), drag_move(at, data, move), dropped(at, data, move)):
        QApplication.sendEvent(view.viewport(), event)
        assert event.isAccepted()


def menu_of(house: House) -> QMenu:
    return next(each for each in house.chats.findChildren(QMenu) if each.isVisible())


def open_menu(house: House, index: QModelIndex) -> QMenu:
    at = middle(house, index)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, house.chats.viewport().mapToGlobal(at))
    QApplication.sendEvent(house.chats.viewport(), event)
    return menu_of(house)


def do(menu: QMenu, *words: str) -> None:
    """Chooses what is called so; the words before the last are those of menus in it."""
    top = menu
    for word in words[:-1]:
        action = next(each for each in menu.actions() if each.text() == word)
        menu = next(each for each in menu.findChildren(QMenu) if each.menuAction() is action)
    next(each for each in menu.actions() if each.text() == words[-1]).trigger()
    top.close()


def chosen(house: House) -> list[str]:
    return [chat.title for chat in house.chats.chosen_chats()]


def bar_of(house: House) -> Any:
    return house.window.findChild(ChosenBar)
