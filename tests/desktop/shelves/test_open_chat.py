"""The list and the chat that is open: it is in sight, it is not chosen by itself, and what is typed arrives."""

from __future__ import annotations

import time

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest

from desktop.store.records import Chat, ChatMessage, Folder
from desktop.store.store import Store
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.shelves.sidebar import CONTROL, MENUS, SHIFT, bar_of, chosen, click_title, do, live_in, open_menu
from tests.desktop.test_palette import palette_of
from tests.desktop.test_window import answered, type_and_send

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


def in_sight(house: House, index: QModelIndex) -> bool:
    assert index.isValid()
    return house.chats.viewport().rect().contains(house.chats.visualRect(index))


async def go_by_palette(house: House, words: str, chat_id: str) -> None:
    QTest.keyClick(house.window, Qt.Key.Key_K, CONTROL)
    palette = palette_of(house)
    QTest.keyClicks(palette._field, words)
    await until(lambda: any(offer.id == chat_id for offer in palette._offers))
    place = next(n for n, offer in enumerate(palette._offers) if offer.id == chat_id)
    palette._choose(place)
    await until(lambda: house.rows and house.rows[0].chat_id == chat_id)


def test_list_scrolls_to_the_chat_that_is_opened(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill_many(profile)
        async with open_house() as house:
            await until(lambda: house.ready and house.chats.model().rowCount() > 50)
            chats = house.chats.chats
            assert not in_sight(house, chats.index_of("c58"))
            await go_by_palette(house, "Lighthouse 58", "c58")
            assert in_sight(house, chats.index_of("c58"))
            assert chosen(house) == ["Lighthouse 58"]
            await go_by_palette(house, "Lighthouse 50", "c50")
            assert in_sight(house, chats.index_of_folder("f")), "it is folded away there"
            house.chats.verticalScrollBar().setValue(10_000)
            QTest.keyClick(house.window, Qt.Key.Key_N, CONTROL)
            assert chosen(house) == []
            type_and_send(house, "Something new")
            await answered(house)
            assert in_sight(house, chats.index_of(house.rows[0].chat_id))

    run(story())


def test_first_click_with_ctrl_chooses_that_chat_alone(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        click_title(house, "Sea shanties")
        await until(lambda: len(house.rows) == 2)
        click_title(house, "Titles for the talk", CONTROL)
        assert chosen(house) == ["Titles for the talk"]
        assert bar_of(house)._count.text() == "1 chosen"
        click_title(house, "Letter to the landlord", CONTROL)
        click_title(house, "Parse a CSV with quotes", CONTROL)
        assert len(chosen(house)) == 3
        click_title(house, "Sea shanties", CONTROL)
        assert len(chosen(house)) == 4, "the open chat counts when it was clicked"
        for title in list(chosen(house)):
            click_title(house, title, CONTROL)
        assert chosen(house) == []
        assert bar_of(house).isHidden()
        click_title(house, "Rust borrow checker", CONTROL)
        QTest.keyClick(house.chats, Qt.Key.Key_Escape)
        assert bar_of(house).isHidden()
        click_title(house, "Sea shanties")
        click_title(house, "Titles for the talk", SHIFT)
        assert chosen(house) == ["Sea shanties", "Parse a CSV with quotes", "Titles for the talk"]

    live_in(run, open_house, profile, story)


def test_what_is_typed_after_a_chat_is_deleted_is_written(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        composer = house.window.composer
        click_title(house, "Sea shanties")
        await until(lambda: len(house.rows) == 2)
        house.chats.setFocus()
        do(open_menu(house, house.chats.chats.index_of("c2")), "Delete")
        assert house.window.focusWidget() is composer._edit
        house.chats.setFocus()
        house.chats.go_to(house.chats.chats.index_of("c4"))
        QTest.keyClick(house.chats, Qt.Key.Key_Delete)
        assert house.window.focusWidget() is house.chats, "another one can be deleted by key"
        QTest.keyClick(house.chats, Qt.Key.Key_H)
        QTest.keyClicks(house.window.focusWidget(), "ello")
        assert composer.text == "hello"

    live_in(run, open_house, profile, story)


def test_what_is_typed_in_the_search_results_narrows_them(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill_many(profile)
        async with open_house() as house:
            await until(lambda: house.ready and house.chats.model().rowCount() > 50)
            field, found = house.window.sidebar.search, house.window.sidebar._found
            field.setText("Lighthouse")
            assert found is not None
            await until(lambda: found.isVisible() and found.model().rowCount() > 2)
            found.enter()
            QTest.keyClick(found, Qt.Key.Key_X)
            assert field.text() == "Lighthousex"
            assert field.hasFocus()

    run(story())
