"""Folders as a person uses them: made, named, filled, put in order and deleted."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMenu

from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.shelves.sidebar import (
    ALT,
    AS_FILLED,
    CONTROL,
    MENUS,
    SHIFT,
    click,
    click_title,
    do,
    drop,
    live_in,
    menu_of,
    open_menu,
)
from tests.desktop.test_window import answered, titles, type_and_send
from tests.fakes import Script

pytestmark = MENUS


def test_a_folder_is_made_named_folded_and_remembered(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"Here.")) as house:
            type_and_send(house, "Sea shanties")
            await answered(house)
            QTest.keyClick(house.window, Qt.Key.Key_N, CONTROL | SHIFT)
            editor = house.chats.findChild(QLineEdit)
            assert isinstance(editor, QLineEdit)
            assert editor.selectedText() == "New folder"
            QTest.keyClicks(editor, "Songs")
            QTest.keyClick(editor, Qt.Key.Key_Return)
            await until(lambda: titles(house) == ["Folders", "Songs", "Today", "Sea shanties"])
            drop(house, [house.rows[0].chat_id], "Songs")
            assert titles(house) == ["Folders", "Songs", "Sea shanties"]
            click_title(house, "Songs")
            assert titles(house) == ["Folders", "Songs"]
            assert house.window.pages.currentWidget() is house.window.chat_page
            assert len(house.rows) == 2, "a folder is no chat: what was open stays open"
        async with open_house() as house:
            await until(lambda: titles(house) == ["Folders", "Songs"])
            house.chats.setFocus()
            house.chats.setCurrentIndex(house.chats.model().index(1, 0))
            QTest.keyClick(house.chats, Qt.Key.Key_Right)
            assert titles(house) == ["Folders", "Songs", "Sea shanties"]

    run(story())


def test_chats_are_dragged_to_every_part(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        drop(house, ["c2", "c4"], "Letter to the landlord")
        assert titles(house)[4:9] == ["Garden and house", "Sea shanties", "Titles for the talk", *AS_FILLED[5:7]]
        drop(house, ["c4"], "Today")
        assert titles(house)[9:12] == ["Today", "Parse a CSV with quotes", "Titles for the talk"]
        drop(house, ["c4"], "Rust borrow checker")
        assert titles(house)[:4] == ["Pinned", "Titles for the talk", *AS_FILLED[1:3]]
        drop(house, ["c4", "c0"], "Archive")
        assert titles(house)[:2] == ["Pinned", "Rust borrow checker"]
        assert house.window.notice.text == "2 chats are in the archive."
        click_title(house, "Archive")
        assert titles(house)[-4:] == ["Titles for the talk", "Reading group notes", "Tax return 2024",
                                      "Bicycle tour along the Danube"]  # fmt: skip
        drop(house, ["c4"], "Why is the sky dark at night?")
        assert titles(house)[-4:] == ["Archive", "Reading group notes", *titles(house)[-2:]]
        assert "Titles for the talk" in titles(house)
        assert not house.chats._rows.target.isValid()
        drop(house, ["old0"], "Pinned")
        assert titles(house)[:2] == ["Pinned", "Rust borrow checker"]
        assert "Tax return 2024" in titles(house)[1:4], "it is out of the archive"
        assert [titles(house).count(title) for title in ("Tax return 2024", "Titles for the talk")] == [1, 1]

    live_in(run, open_house, profile, story)


def test_a_chat_is_moved_by_key(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        click_title(house, "Sea shanties")
        await until(lambda: len(house.rows) == 2)
        QTest.keyClick(house.window, Qt.Key.Key_M, CONTROL | SHIFT)
        menu = menu_of(house)
        assert [each.text() for each in menu.actions() if each.text()] == ["Garden and house", "Code", "New folder…"]
        QTest.keyClick(menu, Qt.Key.Key_Return)
        assert titles(house)[4:6] == ["Garden and house", "Sea shanties"]
        QTest.keyClick(house.window, Qt.Key.Key_M, CONTROL | SHIFT)
        do(menu_of(house), "Out of its folder")
        assert titles(house) == AS_FILLED

    live_in(run, open_house, profile, story)


def test_the_head_of_a_chat_offers_the_same(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        header = house.window.header
        click_title(house, "Sea shanties")
        await until(lambda: len(house.rows) == 2)
        header._title.click()
        menu = next(each for each in header.findChildren(QMenu) if each.isVisible())
        do(menu, "Move to a folder…")
        do(menu_of(house), "New folder…")
        editor = house.chats.findChild(QLineEdit)
        assert isinstance(editor, QLineEdit)
        QTest.keyClick(editor, Qt.Key.Key_Escape)
        assert titles(house)[8:10] == ["New folder", "Sea shanties"]
        header._title.click()
        do(next(each for each in header.findChildren(QMenu) if each.isVisible()), "Archive")
        assert "Sea shanties" not in titles(house)
        assert house.rows == []

    live_in(run, open_house, profile, story)


def test_folders_are_renamed_ordered_deleted_and_brought_back(
    run: Run, open_house: OpenHouse, profile: Profile
) -> None:
    async def story(house: House) -> None:
        view, chats = house.chats, house.chats.chats
        view.setFocus()
        view.setCurrentIndex(chats.index_of("c6"))
        QTest.keyClick(view, Qt.Key.Key_Left)
        assert view.folder is not None
        QTest.keyClick(view, Qt.Key.Key_F2)
        editor = view.findChild(QLineEdit)
        assert isinstance(editor, QLineEdit)
        QTest.keyClicks(editor, "House")
        QTest.keyClick(editor, Qt.Key.Key_Return)
        await until(lambda: titles(house)[4] == "House")
        QTest.keyClick(view, Qt.Key.Key_Down, ALT)
        assert titles(house)[4:7] == ["Code", "House", "Garden plan for March"]
        view.setCurrentIndex(chats.index_of_folder("garden"))
        await until(lambda: not view.findChild(QLineEdit))
        QTest.keyClick(view, Qt.Key.Key_Delete)
        assert "House" not in titles(house)
        assert titles(house)[-4:-1] == ["Garden plan for March", "Letter to the landlord", AS_FILLED[13]]
        assert house.window.notice.text == "The folder “House” is deleted; its chats stay."
        house.window.notice._action.click()
        assert titles(house)[4:8] == ["Code", "House", "Garden plan for March", "Letter to the landlord"]
        do(open_menu(house, chats.index_of_folder("code")), "New chat here")
        type_and_send(house, "In its place at once")
        await answered(house)
        click(house, chats.index_of_folder("code"))
        assert titles(house)[4:6] == ["Code", "In its place at once"]

    live_in(run, open_house, profile, story)


def test_the_narrow_window_shows_the_list_for_it(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        house.window.resize(600, 450)
        await until(lambda: not house.window.sidebar.isVisible())
        QTest.keyClick(house.window, Qt.Key.Key_N, CONTROL | SHIFT)
        assert house.window.sidebar.isVisible()
        editor = house.chats.findChild(QLineEdit)
        assert isinstance(editor, QLineEdit)
        assert house.chats.viewport().rect().contains(editor.geometry())
        QTest.keyClick(editor, Qt.Key.Key_Escape)
        await asyncio.sleep(0)

    live_in(run, open_house, profile, story)
