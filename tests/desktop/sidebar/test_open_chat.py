"""The list and the chat that is open: it is in sight, it is not chosen by itself, and what is typed arrives."""

from __future__ import annotations

import time

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest

from desktop.store.records import Chat, ChatMessage, Folder
from desktop.store.store import Store
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_command_palette import palette_of
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.desktop.sidebar.sidebar_actions import (
    CONTROL,
    MENUS,
    SHIFT,
    bar_of,
    chosen,
    click_title,
    do,
    live_in,
    open_menu,
)

pytestmark = MENUS


async def fill_many(profile: Profile, n_chats: int = 60) -> None:
    store, now = Store(profile.chats), time.time()
    await store.open()
    await store.save_folders(Folder("f", "Folded", 1.0, folded=True))
    for number in range(n_chats):
        chat = Chat(f"c{number}", f"Lighthouse {number}", now, now - number * 9_000, leaf_id=f"q{number}")
        if number in (50, 51):
            chat = Chat(chat.id, chat.title, now, chat.updated_s, leaf_id=chat.leaf_id, folder_id="f")
        await store.save(chat, [ChatMessage(f"q{number}", chat.id, None, "user", f"Word {number}", "complete", now)])
    await store.aclose()


def in_sight(gui: Gui, index: QModelIndex) -> bool:
    assert index.isValid()
    return gui.chats.viewport().rect().contains(gui.chats.visualRect(index))


async def go_by_palette(gui: Gui, words: str, chat_id: str) -> None:
    QTest.keyClick(gui.window, Qt.Key.Key_K, CONTROL)
    palette = palette_of(gui)
    QTest.keyClicks(palette._field, words)
    await until(lambda: any(offer.id == chat_id for offer in palette._offers))
    place = next(n for n, offer in enumerate(palette._offers) if offer.id == chat_id)
    palette._choose(place)
    await until(lambda: gui.rows and gui.rows[0].chat_id == chat_id)


def test_list_scrolls_to_the_opened_chat(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill_many(profile)
        async with open_gui() as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 50)
            chats = gui.chats.chats
            assert not in_sight(gui, chats.index_of("c58"))
            await go_by_palette(gui, "Lighthouse 58", "c58")
            assert in_sight(gui, chats.index_of("c58"))
            assert chosen(gui) == ["Lighthouse 58"]
            await go_by_palette(gui, "Lighthouse 50", "c50")
            assert in_sight(gui, chats.index_of_folder("f")), "it is folded away there"
            gui.chats.verticalScrollBar().setValue(10_000)
            QTest.keyClick(gui.window, Qt.Key.Key_N, CONTROL)
            assert chosen(gui) == []
            type_and_send(gui, "Something new")
            await answered(gui)
            assert in_sight(gui, chats.index_of(gui.rows[0].chat_id))

    run(story())


def test_first_ctrl_click_selects_only_that_chat(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        click_title(gui, "Sea shanties")
        await until(lambda: len(gui.rows) == 2)
        click_title(gui, "Titles for the talk", CONTROL)
        assert chosen(gui) == ["Titles for the talk"]
        assert bar_of(gui)._count.text() == "1 selected"
        click_title(gui, "Letter to the landlord", CONTROL)
        click_title(gui, "Parse a CSV with quotes", CONTROL)
        assert len(chosen(gui)) == 3
        click_title(gui, "Sea shanties", CONTROL)
        assert len(chosen(gui)) == 4, "the open chat counts when it was clicked"
        for title in list(chosen(gui)):
            click_title(gui, title, CONTROL)
        assert chosen(gui) == []
        assert bar_of(gui).isHidden()
        click_title(gui, "Rust borrow checker", CONTROL)
        QTest.keyClick(gui.chats, Qt.Key.Key_Escape)
        assert bar_of(gui).isHidden()
        click_title(gui, "Sea shanties")
        click_title(gui, "Titles for the talk", SHIFT)
        assert chosen(gui) == ["Sea shanties", "Parse a CSV with quotes", "Titles for the talk"]

    live_in(run, open_gui, profile, story)


def test_typing_after_deleting_a_chat_goes_into_the_composer(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        composer = gui.window.chat_page.composer
        click_title(gui, "Sea shanties")
        await until(lambda: len(gui.rows) == 2)
        gui.chats.setFocus()
        do(open_menu(gui, gui.chats.chats.index_of("c2")), "Delete")
        assert gui.window.focusWidget() is composer._edit
        gui.chats.setFocus()
        gui.chats.go_to(gui.chats.chats.index_of("c4"))
        QTest.keyClick(gui.chats, Qt.Key.Key_Delete)
        assert gui.window.focusWidget() is gui.chats, "another one can be deleted by key"
        QTest.keyClick(gui.chats, Qt.Key.Key_H)
        QTest.keyClicks(gui.window.focusWidget(), "ello")
        assert composer.text == "hello"

    live_in(run, open_gui, profile, story)


def test_typing_in_the_search_results_extends_the_search(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill_many(profile)
        async with open_gui() as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 50)
            field, found = gui.window.sidebar.search, gui.window.sidebar._found
            field.setText("Lighthouse")
            assert found is not None
            await until(lambda: found.isVisible() and found.model().rowCount() > 2)
            found.enter()
            QTest.keyClick(found, Qt.Key.Key_X)
            assert field.text() == "Lighthousex"
            assert field.hasFocus()

    run(story())
