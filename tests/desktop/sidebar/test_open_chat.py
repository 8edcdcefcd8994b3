"""Tests of the chat list while a chat is open: scrolling, selection, and the widget that receives typed text."""

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
    IGNORES_MENU_WARNING,
    SHIFT,
    click_title,
    open_menu,
    run_in_window,
    selected_titles,
    selection_bar,
    trigger,
)

pytestmark = IGNORES_MENU_WARNING


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
    await until(lambda: any(entry.id == chat_id for entry in palette._entries))
    place = next(n for n, entry in enumerate(palette._entries) if entry.id == chat_id)
    palette._choose(place)
    await until(lambda: gui.rows and gui.rows[0].chat_id == chat_id)


def test_chat_list_scrolls_to_the_opened_chat(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill_many(profile)
        async with open_gui() as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 50)
            chats = gui.chats.chats
            assert not in_sight(gui, chats.index_of("c58"))
            await go_by_palette(gui, "Lighthouse 58", "c58")
            assert in_sight(gui, chats.index_of("c58"))
            assert selected_titles(gui) == ["Lighthouse 58"]
            await go_by_palette(gui, "Lighthouse 50", "c50")
            assert in_sight(gui, chats.index_of_folder("f")), "the folded folder of the chat is visible"
            gui.chats.verticalScrollBar().setValue(10_000)
            QTest.keyClick(gui.window, Qt.Key.Key_N, CONTROL)
            assert selected_titles(gui) == []
            type_and_send(gui, "Something new")
            await answered(gui)
            assert in_sight(gui, chats.index_of(gui.rows[0].chat_id))

    run(story())


def test_first_ctrl_click_selects_only_the_clicked_chat(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        click_title(gui, "Sea shanties")
        await until(lambda: len(gui.rows) == 2)
        click_title(gui, "Titles for the talk", CONTROL)
        assert selected_titles(gui) == ["Titles for the talk"]
        assert selection_bar(gui)._count.text() == "1 chosen"
        click_title(gui, "Letter to the landlord", CONTROL)
        click_title(gui, "Parse a CSV with quotes", CONTROL)
        assert len(selected_titles(gui)) == 3
        click_title(gui, "Sea shanties", CONTROL)
        assert len(selected_titles(gui)) == 4, "the open chat is selected after a click"
        for title in list(selected_titles(gui)):
            click_title(gui, title, CONTROL)
        assert selected_titles(gui) == []
        assert selection_bar(gui).isHidden()
        click_title(gui, "Rust borrow checker", CONTROL)
        QTest.keyClick(gui.chats, Qt.Key.Key_Escape)
        assert selection_bar(gui).isHidden()
        click_title(gui, "Sea shanties")
        click_title(gui, "Titles for the talk", SHIFT)
        assert selected_titles(gui) == ["Sea shanties", "Parse a CSV with quotes", "Titles for the talk"]

    run_in_window(run, open_gui, profile, story)


def test_text_typed_after_deleting_a_chat_is_inserted_into_the_composer(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story(gui: Gui) -> None:
        composer = gui.window.chat_page.composer
        click_title(gui, "Sea shanties")
        await until(lambda: len(gui.rows) == 2)
        gui.chats.setFocus()
        trigger(open_menu(gui, gui.chats.chats.index_of("c2")), "Delete")
        assert gui.window.focusWidget() is composer._edit
        gui.chats.setFocus()
        gui.chats.go_to(gui.chats.chats.index_of("c4"))
        QTest.keyClick(gui.chats, Qt.Key.Key_Delete)
        assert gui.window.focusWidget() is gui.chats, "the next chat can be deleted with the keyboard"
        QTest.keyClick(gui.chats, Qt.Key.Key_H)
        QTest.keyClicks(gui.window.focusWidget(), "ello")
        assert composer.text == "hello"

    run_in_window(run, open_gui, profile, story)


def test_text_typed_in_the_search_results_is_appended_to_the_search(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story() -> None:
        await fill_many(profile)
        async with open_gui() as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 50)
            field, found = gui.window.sidebar.search, gui.window.sidebar._results
            field.setText("Lighthouse")
            assert found is not None
            await until(lambda: found.isVisible() and found.model().rowCount() > 2)
            found.enter()
            QTest.keyClick(found, Qt.Key.Key_X)
            assert field.text() == "Lighthousex"
            assert field.hasFocus()

    run(story())
