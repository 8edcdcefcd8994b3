"""Tests of creating, renaming, filling, ordering and deleting folders in the window."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMenu

from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, titles, type_and_send
from tests.desktop.sidebar.sidebar_actions import (
    ALT,
    CONTROL,
    IGNORES_MENU_WARNING,
    INITIAL_ROWS,
    SHIFT,
    click,
    click_title,
    drop,
    menu_of,
    open_menu,
    run_in_window,
    trigger,
)
from tests.fakes import Script

pytestmark = IGNORES_MENU_WARNING


def test_new_folder_is_named_filled_and_folded_and_restored_after_a_restart(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Here.")) as gui:
            type_and_send(gui, "Sea shanties")
            await answered(gui)
            QTest.keyClick(gui.window, Qt.Key.Key_N, CONTROL | SHIFT)
            editor = gui.chats.findChild(QLineEdit)
            assert isinstance(editor, QLineEdit)
            assert editor.selectedText() == "New folder"
            QTest.keyClicks(editor, "Songs")
            QTest.keyClick(editor, Qt.Key.Key_Return)
            await until(lambda: titles(gui) == ["Folders", "Songs", "Today", "Sea shanties"])
            drop(gui, [gui.rows[0].chat_id], "Songs")
            assert titles(gui) == ["Folders", "Songs", "Sea shanties"]
            click_title(gui, "Songs")
            assert titles(gui) == ["Folders", "Songs"]
            assert gui.window.pages.currentWidget() is gui.window.chat_page
            assert len(gui.rows) == 2, "clicking a folder leaves the chat open"
        async with open_gui() as gui:
            await until(lambda: titles(gui) == ["Folders", "Songs"])
            gui.chats.setFocus()
            gui.chats.setCurrentIndex(gui.chats.model().index(1, 0))
            QTest.keyClick(gui.chats, Qt.Key.Key_Right)
            assert titles(gui) == ["Folders", "Songs", "Sea shanties"]

    run(story())


def test_chats_can_be_dropped_on_every_section_and_folder(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        drop(gui, ["c2", "c4"], "Letter to the landlord")
        assert titles(gui)[4:9] == ["Garden and house", "Sea shanties", "Titles for the talk", *INITIAL_ROWS[5:7]]
        drop(gui, ["c4"], "Today")
        assert titles(gui)[9:12] == ["Today", "Parse a CSV with quotes", "Titles for the talk"]
        drop(gui, ["c4"], "Rust borrow checker")
        assert titles(gui)[:4] == ["Pinned", "Titles for the talk", *INITIAL_ROWS[1:3]]
        drop(gui, ["c4", "c0"], "Archive")
        assert titles(gui)[:2] == ["Pinned", "Rust borrow checker"]
        assert gui.window.toast.text == "2 chats are in the archive."
        click_title(gui, "Archive")
        assert titles(gui)[-4:] == ["Titles for the talk", "Reading group notes", "Tax return 2024",
                                      "Bicycle tour along the Danube"]  # fmt: skip
        drop(gui, ["c4"], "Why is the sky dark at night?")
        assert titles(gui)[-4:] == ["Archive", "Reading group notes", *titles(gui)[-2:]]
        assert "Titles for the talk" in titles(gui)
        assert not gui.chats._rows.target.isValid()
        drop(gui, ["old0"], "Pinned")
        assert titles(gui)[:2] == ["Pinned", "Rust borrow checker"]
        assert "Tax return 2024" in titles(gui)[1:4], "unarchived"
        assert [titles(gui).count(title) for title in ("Tax return 2024", "Titles for the talk")] == [1, 1]

    run_in_window(run, open_gui, profile, story)


def test_shortcut_moves_the_chat_into_and_out_of_a_folder(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        click_title(gui, "Sea shanties")
        await until(lambda: len(gui.rows) == 2)
        QTest.keyClick(gui.window, Qt.Key.Key_M, CONTROL | SHIFT)
        menu = menu_of(gui)
        assert [each.text() for each in menu.actions() if each.text()] == ["Garden and house", "Code", "New folder…"]
        QTest.keyClick(menu, Qt.Key.Key_Return)
        assert titles(gui)[4:6] == ["Garden and house", "Sea shanties"]
        QTest.keyClick(gui.window, Qt.Key.Key_M, CONTROL | SHIFT)
        trigger(menu_of(gui), "Remove from folder")
        assert titles(gui) == INITIAL_ROWS

    run_in_window(run, open_gui, profile, story)


def test_menu_of_the_chat_header_moves_and_archives_the_chat(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        header = gui.window.chat_page.header
        click_title(gui, "Sea shanties")
        await until(lambda: len(gui.rows) == 2)
        header._title.click()
        menu = next(each for each in header.findChildren(QMenu) if each.isVisible())
        trigger(menu, "Move to a folder…")
        trigger(menu_of(gui), "New folder…")
        editor = gui.chats.findChild(QLineEdit)
        assert isinstance(editor, QLineEdit)
        QTest.keyClick(editor, Qt.Key.Key_Escape)
        assert titles(gui)[8:10] == ["New folder", "Sea shanties"]
        header._title.click()
        trigger(next(each for each in header.findChildren(QMenu) if each.isVisible()), "Archive")
        assert "Sea shanties" not in titles(gui)
        assert gui.rows == []

    run_in_window(run, open_gui, profile, story)


def test_folders_are_renamed_moved_deleted_and_restored(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        view, chats = gui.chats, gui.chats.chats
        view.setFocus()
        view.setCurrentIndex(chats.index_of("c6"))
        QTest.keyClick(view, Qt.Key.Key_Left)
        assert view.folder is not None
        QTest.keyClick(view, Qt.Key.Key_F2)
        editor = view.findChild(QLineEdit)
        assert isinstance(editor, QLineEdit)
        QTest.keyClicks(editor, "House")
        QTest.keyClick(editor, Qt.Key.Key_Return)
        await until(lambda: titles(gui)[4] == "House")
        QTest.keyClick(view, Qt.Key.Key_Down, ALT)
        assert titles(gui)[4:7] == ["Code", "House", "Garden plan for March"]
        view.setCurrentIndex(chats.index_of_folder("garden"))
        await until(lambda: not view.findChild(QLineEdit))
        QTest.keyClick(view, Qt.Key.Key_Delete)
        assert "House" not in titles(gui)
        assert titles(gui)[-4:-1] == ["Garden plan for March", "Letter to the landlord", INITIAL_ROWS[13]]
        assert gui.window.toast.text == "The folder “House” is deleted; its chats stay."
        gui.window.toast._action.click()
        assert titles(gui)[4:8] == ["Code", "House", "Garden plan for March", "Letter to the landlord"]
        trigger(open_menu(gui, chats.index_of_folder("code")), "New chat here")
        type_and_send(gui, "In its place at once")
        await answered(gui)
        click(gui, chats.index_of_folder("code"))
        assert titles(gui)[4:6] == ["Code", "In its place at once"]

    run_in_window(run, open_gui, profile, story)


def test_new_folder_in_a_narrow_window_shows_the_sidebar(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        gui.window.resize(600, 450)
        await until(lambda: not gui.window.sidebar.isVisible())
        QTest.keyClick(gui.window, Qt.Key.Key_N, CONTROL | SHIFT)
        assert gui.window.sidebar.isVisible()
        editor = gui.chats.findChild(QLineEdit)
        assert isinstance(editor, QLineEdit)
        assert gui.chats.viewport().rect().contains(editor.geometry())
        QTest.keyClick(editor, Qt.Key.Key_Escape)
        await asyncio.sleep(0)

    run_in_window(run, open_gui, profile, story)
