"""Tests of archiving and unarchiving chats in the window."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, titles, type_and_send
from tests.desktop.sidebar.sidebar_actions import (
    CONTROL,
    IGNORES_MENU_WARNING,
    INITIAL_ROWS,
    ROWS_WITH_ARCHIVE,
    SHIFT,
    click_title,
    run_in_window,
)
from tests.desktop.sidebar.test_gallery_sidebar import fill_folders, listed

pytestmark = IGNORES_MENU_WARNING


def test_archived_chat_is_found_opened_and_unarchived(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        click_title(gui, "Letter to the landlord")
        await until(lambda: len(gui.rows) == 2)
        QTest.keyClick(gui.window, Qt.Key.Key_E, CONTROL | SHIFT)
        assert "Letter to the landlord" not in titles(gui)
        assert gui.rows == []
        assert gui.window.toast.text == "“Letter to the landlord” is in the archive."
        field: Any = gui.window.sidebar.search
        found: Any = gui.window.sidebar._results
        QTest.keyClicks(field, "landlord")
        await until(lambda: found.isVisible() and found.model().rowCount() > 0)
        found.open_first()
        await until(lambda: len(gui.rows) == 2)
        header = gui.window.chat_page.header
        assert header._unarchive_button.isVisible()
        assert found.model().hits[0].archived
        header._unarchive_button.click()
        assert header._unarchive_button.isHidden()
        await until(lambda: not found.model().hits[0].archived)
        QTest.keyClick(field, Qt.Key.Key_Escape)
        assert titles(gui) == INITIAL_ROWS, "back in its folder"
        QTest.keyClick(gui.window, Qt.Key.Key_E, CONTROL | SHIFT)
        gui.window.toast._action.click()
        assert titles(gui) == INITIAL_ROWS

    run_in_window(run, open_gui, profile, story)


def test_folded_state_of_the_archive_is_restored_after_a_restart(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill_folders(profile)
        for before, after in (
            (INITIAL_ROWS, ROWS_WITH_ARCHIVE),
            (ROWS_WITH_ARCHIVE, INITIAL_ROWS),
            (INITIAL_ROWS, INITIAL_ROWS),
        ):
            async with open_gui() as gui:
                await listed(gui)
                assert titles(gui) == before
                if after != before:
                    click_title(gui, "Archive")
                assert titles(gui) == after

    run(story())


def test_sending_a_message_in_an_archived_chat_unarchives_it(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        gui.chats.requests.open_requested.emit("old0")
        await until(lambda: bool(gui.rows))
        type_and_send(gui, "And this year?")
        assert titles(gui)[8:10] == ["Today", "Tax return 2024"]
        await answered(gui)

    run_in_window(run, open_gui, profile, story)
