"""Pictures of the list at the left: folders, several chats chosen, the archive, a search, a drag."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QDragLeaveEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from desktop.store.records import ChatMessage, Folder
from desktop.store.store import Store
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.drag_events import drag_enter, drag_move
from tests.desktop.test_gallery import DAY, GALLERY, SIZES, fill, open_chat, show

CONTROL = Qt.KeyboardModifier.ControlModifier


async def fill_shelves(profile: Profile) -> None:
    """The same profile, put in order: two folders, two chats put away."""
    await fill(profile)
    store = Store(profile.chats)
    await store.open()
    await store.save_folders(Folder("garden", "Garden and house", 1.0), Folder("code", "Code", 2.0, folded=True))
    chats = {chat.id: chat for chat in await store.chats()}
    places = {"c5": "garden", "c6": "garden", "c3": "", "c8": "code"}
    now = time.time()
    await store.save_all([(replace(chats[chat_id], folder_id=place), []) for chat_id, place in places.items()])
    old = [replace(chats["c7"], id=f"old{n}", title=title, archived=True, updated_s=now - (90 + n) * DAY)
           for n, title in enumerate(("Tax return 2024", "Bicycle tour along the Danube"))]  # fmt: skip
    said = [ChatMessage(f"{chat.id}-q", chat.id, None, "user", chat.title, "complete", now) for chat in old]
    await store.save_all([(replace(chat, leaf_id=ask.id), [ask]) for chat, ask in zip(old, said, strict=True)])
    await store.aclose()


async def listed(house: House) -> None:
    await until(lambda: house.ready and house.chats.model().rowCount() > 12)


def middle(house: House, index: QModelIndex) -> QPoint:
    return house.chats.visualRect(index).center()


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one, of a menu
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_shelves_are_pictured(run: Run, open_house: OpenHouse, profile: Profile, scheme: str) -> None:
    async def story() -> None:
        await fill_shelves(profile)
        async with open_house(theme=scheme) as house:
            await listed(house)
            view, chats = house.chats, house.chats.chats
            await open_chat(house, "c3")
            await show(house, "folders", scheme)
            view.archive_fold_asked.emit(False)
            for chat_id in ("c6", "c2", "c4"):
                QTest.mouseClick(
                    view.viewport(), Qt.MouseButton.LeftButton, CONTROL, middle(house, chats.index_of(chat_id))
                )
            await show(house, "several", scheme, SIZES[1:])
            data, at = chats.mimeData(view.selectedIndexes()), middle(house, chats.index_of_folder("code"))
            move = Qt.DropAction.MoveAction
            for event in (drag_enter(at, data, move), drag_move(at, data, move)):
                QApplication.sendEvent(view.viewport(), event)
            await show(house, "dragged", scheme, SIZES[1:2])
            QApplication.sendEvent(view.viewport(), QDragLeaveEvent())
            view.open_folders_menu(view.chosen_chats())
            menu = next(each for each in view.findChildren(QMenu) if each.isVisible())
            menu.grab().save(str(GALLERY / f"folders-menu-{scheme}.png"))
            menu.close()
            view.choose_one()
            view.setFocus()
            await asyncio.sleep(0.05)  # the menu gives the focus back
            view.rename_folder("garden")
            await show(house, "folder-renamed", scheme, SIZES[1:2])
            QTest.keyClick(view.viewport().focusWidget() or view, Qt.Key.Key_Escape)
            await open_chat(house, "old0")
            house.window.sidebar.search.setText("tax")
            await until(lambda: house.window.sidebar._found.isVisible())
            await show(house, "archived-found", scheme, SIZES[1:2])
            house.window.sidebar.search.clear()
            house.window.resize(*SIZES[0])
            house.window.open_chats()
            await show(house, "folders-narrow", scheme, SIZES[:1])
            for chat_id in ("c6", "c2"):
                view.scrollTo(chats.index_of(chat_id))
                QTest.mouseClick(
                    view.viewport(), Qt.MouseButton.LeftButton, CONTROL, middle(house, chats.index_of(chat_id))
                )
            await show(house, "several-narrow", scheme, SIZES[:1])
            house.window.close_sidebar()
            house.window.resize(*SIZES[1])
            view.archive_asked.emit(("c2", "c4"), True)
            await show(house, "archived", scheme, SIZES[1:2])

    run(story())
    assert (GALLERY / f"folders-{scheme}-1100.png").stat().st_size > 10_000
