"""Saves screenshots of the sidebar: folders, several selected chats, archive, search, drag."""

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
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.drag_events import drag_enter, drag_move
from tests.desktop.shell.test_gallery import DAY, GALLERY, SIZES, fill, open_chat, show

CONTROL = Qt.KeyboardModifier.ControlModifier


async def fill_folders(profile: Profile) -> None:
    """Fills the profile with chats, two folders and two archived chats."""
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
    questions = [ChatMessage(f"{chat.id}-q", chat.id, None, "user", chat.title, "complete", now) for chat in old]
    await store.save_all([(replace(chat, leaf_id=ask.id), [ask]) for chat, ask in zip(old, questions, strict=True)])
    await store.aclose()


async def listed(gui: Gui) -> None:
    await until(lambda: gui.ready and gui.chats.model().rowCount() > 12)


def middle(gui: Gui, index: QModelIndex) -> QPoint:
    return gui.chats.visualRect(index).center()


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform logs this when a menu opens
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screenshots_of_folders_selection_and_archive_are_saved(
    run: Run, open_gui: OpenGui, profile: Profile, scheme: str
) -> None:
    async def story() -> None:
        await fill_folders(profile)
        async with open_gui(theme=scheme) as gui:
            await listed(gui)
            view, chats = gui.chats, gui.chats.chats
            await open_chat(gui, "c3")
            await show(gui, "folders", scheme)
            view.requests.fold_archive_requested.emit(False)
            for chat_id in ("c6", "c2", "c4"):
                QTest.mouseClick(
                    view.viewport(), Qt.MouseButton.LeftButton, CONTROL, middle(gui, chats.index_of(chat_id))
                )
            await show(gui, "several", scheme, SIZES[1:])
            data, at = chats.mimeData(view.selectedIndexes()), middle(gui, chats.index_of_folder("code"))
            move = Qt.DropAction.MoveAction
            for event in (drag_enter(at, data, move), drag_move(at, data, move)):
                QApplication.sendEvent(view.viewport(), event)
            await show(gui, "dragged", scheme, SIZES[1:2])
            QApplication.sendEvent(view.viewport(), QDragLeaveEvent())
            view.open_folder_menu(view.selected_chats())
            menu = next(each for each in view.findChildren(QMenu) if each.isVisible())
            menu.grab().save(str(GALLERY / f"folders-menu-{scheme}.png"))
            menu.close()
            view.leave_multi_selection()
            view.setFocus()
            await asyncio.sleep(0.05)  # wait until the menu has returned the focus to the list
            view.rename_folder("garden")
            await show(gui, "folder-renamed", scheme, SIZES[1:2])
            QTest.keyClick(view.viewport().focusWidget() or view, Qt.Key.Key_Escape)
            await open_chat(gui, "old0")
            gui.window.sidebar.search.setText("tax")
            await until(lambda: gui.window.sidebar._results.isVisible())
            await show(gui, "archived-found", scheme, SIZES[1:2])
            gui.window.sidebar.search.clear()
            gui.window.resize(*SIZES[0])
            gui.window.show_chat_list()
            await show(gui, "folders-narrow", scheme, SIZES[:1])
            for chat_id in ("c6", "c2"):
                view.scrollTo(chats.index_of(chat_id))
                QTest.mouseClick(
                    view.viewport(), Qt.MouseButton.LeftButton, CONTROL, middle(gui, chats.index_of(chat_id))
                )
            await show(gui, "several-narrow", scheme, SIZES[:1])
            gui.window.close_sidebar()
            gui.window.resize(*SIZES[1])
            view.requests.archive_requested.emit(("c2", "c4"), True)
            await show(gui, "archived", scheme, SIZES[1:2])

    run(story())
    assert (GALLERY / f"folders-{scheme}-1100.png").stat().st_size > 10_000
