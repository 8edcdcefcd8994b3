"""Several chats at once, as a person uses them: real clicks and keys, a real file."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton

from desktop.widgets.chats_drag import dragged
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.exchange.foreign import chats_in
from tests.desktop.shelves.sidebar import (
    AS_FILLED,
    CONTROL,
    MENUS,
    SHIFT,
    bar_of,
    chosen,
    click,
    click_title,
    do,
    live_in,
    open_menu,
)
from tests.desktop.test_palette import offered, palette_of
from tests.desktop.test_window import titles

pytestmark = MENUS


def test_several_are_chosen_by_mouse_and_by_key(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        view = house.chats
        click_title(house, "Sea shanties")
        await until(lambda: len(house.rows) == 2)
        opened = house.rows[0].chat_id
        for title in ("Sea shanties", "Titles for the talk"):
            click_title(house, title, CONTROL)
        assert chosen(house) == ["Sea shanties", "Titles for the talk"]
        assert bar_of(house)._count.text() == "2 chosen"
        click_title(house, "Letter to the landlord", SHIFT)
        assert chosen(house) == AS_FILLED[6:7] + AS_FILLED[9:12], "headings and folders are not chosen"
        assert house.rows[0].chat_id == opened, "to choose is not to open"
        QTest.keyClick(view, Qt.Key.Key_Escape)
        assert bar_of(house).isHidden()
        click_title(house, "Sea shanties")
        view.setFocus()
        for _ in range(3):
            QTest.keyClick(view, Qt.Key.Key_Down, SHIFT)
        assert chosen(house) == AS_FILLED[9:12] + AS_FILLED[13:14]
        QTest.keyClick(view, Qt.Key.Key_Up, SHIFT)
        assert chosen(house) == AS_FILLED[9:12]
        click_title(house, "Rust borrow checker")
        assert chosen(house) == ["Rust borrow checker"]
        QTest.keyClick(view, Qt.Key.Key_A, CONTROL)
        assert len(chosen(house)) == 8

    live_in(run, open_house, profile, story)


def test_several_are_deleted_and_brought_back(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        click_title(house, "Sea shanties", CONTROL)
        click_title(house, "Titles for the talk", SHIFT)
        house.chats.setFocus()
        QTest.keyClick(house.chats, Qt.Key.Key_Delete)
        left = [title for title in AS_FILLED if title not in ("Today", *AS_FILLED[9:12])]
        assert titles(house) == left
        assert house.window.notice.text == "3 chats are deleted."
        house.window.notice._action.click()
        assert titles(house) == AS_FILLED
        click_title(house, "Garden plan for March", CONTROL)
        click_title(house, "Letter to the landlord", CONTROL)
        next(each for each in bar_of(house).findChildren(QToolButton) if "Delete" in each.accessibleName()).click()
        assert "Letter to the landlord" not in titles(house)

    live_in(run, open_house, profile, story)

    async def again() -> None:
        async with open_house() as house:
            await until(lambda: titles(house) == AS_FILLED[:5] + AS_FILLED[7:])

    run(again())


def test_the_menu_acts_on_all_that_are_chosen(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        chats = house.chats.chats
        for title in ("Sea shanties", "Reading group notes"):
            click_title(house, title, CONTROL)
        do(open_menu(house, chats.index_of("c2")), "Move to", "Code")
        click(house, chats.index_of_folder("code"))
        assert titles(house)[6:10] == ["Code", "Sea shanties", "Reading group notes", "Kubernetes probes"]
        for title in ("Sea shanties", "Reading group notes"):
            click_title(house, title, CONTROL)
        click_title(house, "Code", CONTROL)
        do(open_menu(house, chats.index_of("c2")), "Pin")
        assert titles(house)[:4] == ["Pinned", "Sea shanties", "Reading group notes", "Rust borrow checker"]
        await until(lambda: not house.chats.findChildren(QMenu))
        do(open_menu(house, chats.index_of("c2")), "Unpin")
        assert "Sea shanties" in titles(house)[8:10], "it is back in its folder"

    live_in(run, open_house, profile, story)


def test_a_drag_takes_all_that_are_chosen(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        for title in ("Titles for the talk", "Letter to the landlord"):
            click_title(house, title, CONTROL)
        drag = house.chats._drag_of(house.chats.chosen_chats())
        assert dragged(drag.mimeData()) == ("c6", "c4")
        assert not drag.pixmap().isNull()
        drag.deleteLater()

    live_in(run, open_house, profile, story)


def test_the_chosen_are_saved_together(
    run: Run, open_house: OpenHouse, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(house: House) -> None:
        for title in ("Letter to the landlord", "Sea shanties"):
            click_title(house, title, CONTROL)
        QTest.keyClick(house.window, Qt.Key.Key_K, CONTROL)
        QTest.keyClicks(palette_of(house)._field, "save chosen")
        assert offered(house)[0] == "Save the chosen chats as JSON…"
        QTest.keyClick(palette_of(house)._field, Qt.Key.Key_Return)
        dialog = next(each for each in house.window.findChildren(QFileDialog) if each.isVisible())
        dialog.fileSelected.emit(str(tmp_path / "two.json"))
        dialog.close()
        await until(lambda: (tmp_path / "two.json").exists())

    live_in(run, open_house, profile, story)
    both = chats_in(tmp_path / "two.json")
    assert [each.chat.title for each in both] == ["Letter to the landlord", "Sea shanties"]
    assert [each.folder.name if each.folder else "" for each in both] == ["Garden and house", ""]


def test_what_is_open_stays_chosen_while_others_change(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        for title in ("Sea shanties", "Letter to the landlord"):
            click_title(house, title, CONTROL)
        top = house.chats.verticalScrollBar().value()
        house.chats.chats.renamed.emit("c4", "Another name")
        house.window.header.pin_asked.emit("c7", True)
        assert sorted(chosen(house)) == ["Letter to the landlord", "Sea shanties"]
        assert house.chats.verticalScrollBar().value() == top

    live_in(run, open_house, profile, story)


def test_the_row_that_was_chosen_stays_in_sight_above_the_line(
    run: Run, open_house: OpenHouse, profile: Profile
) -> None:
    async def story(house: House) -> None:
        house.window.resize(1100, 560)
        view = house.chats
        click_title(house, "Reading group notes")
        await until(lambda: view.height() < 400)
        lowest = view.indexAt(view.viewport().rect().bottomLeft())
        click(house, lowest, CONTROL)
        await until(lambda: bar_of(house).isVisible())
        await until(lambda: view.viewport().rect().contains(view.visualRect(lowest)))
        bar_of(house).resize(160, 38)
        assert bar_of(house)._count.text() == "1"
        assert bar_of(house).accessibleName() == "1 chosen"

    live_in(run, open_house, profile, story)
