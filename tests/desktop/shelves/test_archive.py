"""The archive as a person uses it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.shelves.sidebar import (
    AS_FILLED,
    CONTROL,
    MENUS,
    SHIFT,
    UNFOLDED,
    click_title,
    live_in,
)
from tests.desktop.test_gallery_chats import fill_shelves, listed
from tests.desktop.test_window import answered, titles, type_and_send

pytestmark = MENUS


def test_what_is_put_away_is_found_opened_and_brought_back(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        click_title(house, "Letter to the landlord")
        await until(lambda: len(house.rows) == 2)
        QTest.keyClick(house.window, Qt.Key.Key_E, CONTROL | SHIFT)
        assert "Letter to the landlord" not in titles(house)
        assert house.rows == []
        assert house.window.notice.text == "“Letter to the landlord” is in the archive."
        field: Any = house.window.sidebar.search
        found: Any = house.window.sidebar._found
        QTest.keyClicks(field, "landlord")
        await until(lambda: found.isVisible() and found.model().rowCount() > 0)
        found.choose_first()
        await until(lambda: len(house.rows) == 2)
        header = house.window.header
        assert header._back.isVisible()
        assert found.model().hits[0].archived
        header._back.click()
        assert header._back.isHidden()
        await until(lambda: not found.model().hits[0].archived)
        QTest.keyClick(field, Qt.Key.Key_Escape)
        assert titles(house) == AS_FILLED, "in its folder again"
        QTest.keyClick(house.window, Qt.Key.Key_E, CONTROL | SHIFT)
        house.window.notice._action.click()
        assert titles(house) == AS_FILLED

    live_in(run, open_house, profile, story)


def test_the_archive_stays_as_it_was_left(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill_shelves(profile)
        for before, after in ((AS_FILLED, UNFOLDED), (UNFOLDED, AS_FILLED), (AS_FILLED, AS_FILLED)):
            async with open_house() as house:
                await listed(house)
                assert titles(house) == before
                if after != before:
                    click_title(house, "Archive")
                assert titles(house) == after

    run(story())


def test_what_is_written_in_comes_out_of_the_archive(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        house.chats.chosen.emit("old0")
        await until(lambda: bool(house.rows))
        type_and_send(house, "And this year?")
        assert titles(house)[8:10] == ["Today", "Tax return 2024"]
        await answered(house)

    live_in(run, open_house, profile, story)
