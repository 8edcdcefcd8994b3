"""Several chats at once, as a person uses them: real clicks and keys, a real file."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton

from desktop.sidebar.chat_drag import drag_of, dragged_ids
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.import_export.foreign_exports import chats_in
from tests.desktop.shell.test_command_palette import offered, palette_of
from tests.desktop.shell.test_main_window import titles
from tests.desktop.sidebar.sidebar_actions import (
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

pytestmark = MENUS


def test_several_chats_are_selected_by_mouse_and_keyboard(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        view = gui.chats
        click_title(gui, "Sea shanties")
        await until(lambda: len(gui.rows) == 2)
        opened = gui.rows[0].chat_id
        for title in ("Sea shanties", "Titles for the talk"):
            click_title(gui, title, CONTROL)
        assert chosen(gui) == ["Sea shanties", "Titles for the talk"]
        assert bar_of(gui)._count.text() == "2 selected"
        click_title(gui, "Letter to the landlord", SHIFT)
        assert chosen(gui) == AS_FILLED[6:7] + AS_FILLED[9:12], "headings and folders are not chosen"
        assert gui.rows[0].chat_id == opened, "to choose is not to open"
        QTest.keyClick(view, Qt.Key.Key_Escape)
        assert bar_of(gui).isHidden()
        click_title(gui, "Sea shanties")
        view.setFocus()
        for _ in range(3):
            QTest.keyClick(view, Qt.Key.Key_Down, SHIFT)
        assert chosen(gui) == AS_FILLED[9:12] + AS_FILLED[13:14]
        QTest.keyClick(view, Qt.Key.Key_Up, SHIFT)
        assert chosen(gui) == AS_FILLED[9:12]
        click_title(gui, "Rust borrow checker")
        assert chosen(gui) == ["Rust borrow checker"]
        QTest.keyClick(view, Qt.Key.Key_A, CONTROL)
        assert len(chosen(gui)) == 8

    live_in(run, open_gui, profile, story)


def test_several_chats_are_deleted_and_restored(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        click_title(gui, "Sea shanties", CONTROL)
        click_title(gui, "Titles for the talk", SHIFT)
        gui.chats.setFocus()
        QTest.keyClick(gui.chats, Qt.Key.Key_Delete)
        left = [title for title in AS_FILLED if title not in ("Today", *AS_FILLED[9:12])]
        assert titles(gui) == left
        assert gui.window.toast.text == "3 chats are deleted."
        gui.window.toast._action.click()
        assert titles(gui) == AS_FILLED
        click_title(gui, "Garden plan for March", CONTROL)
        click_title(gui, "Letter to the landlord", CONTROL)
        next(each for each in bar_of(gui).findChildren(QToolButton) if "Delete" in each.accessibleName()).click()
        assert "Letter to the landlord" not in titles(gui)

    live_in(run, open_gui, profile, story)

    async def again() -> None:
        async with open_gui() as gui:
            await until(lambda: titles(gui) == AS_FILLED[:5] + AS_FILLED[7:])

    run(again())


def test_menu_acts_on_all_selected_chats(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        chats = gui.chats.chats
        for title in ("Sea shanties", "Reading group notes"):
            click_title(gui, title, CONTROL)
        do(open_menu(gui, chats.index_of("c2")), "Move to", "Code")
        click(gui, chats.index_of_folder("code"))
        assert titles(gui)[6:10] == ["Code", "Sea shanties", "Reading group notes", "Kubernetes probes"]
        for title in ("Sea shanties", "Reading group notes"):
            click_title(gui, title, CONTROL)
        click_title(gui, "Code", CONTROL)
        do(open_menu(gui, chats.index_of("c2")), "Pin")
        assert titles(gui)[:4] == ["Pinned", "Sea shanties", "Reading group notes", "Rust borrow checker"]
        await until(lambda: not gui.chats.findChildren(QMenu))
        do(open_menu(gui, chats.index_of("c2")), "Unpin")
        assert "Sea shanties" in titles(gui)[8:10], "it is back in its folder"

    live_in(run, open_gui, profile, story)


def test_drag_contains_all_selected_chats(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        for title in ("Titles for the talk", "Letter to the landlord"):
            click_title(gui, title, CONTROL)
        drag = drag_of(gui.chats.selected_chats(), gui.chats.chats, gui.window.theme, gui.chats, 1.0)
        assert dragged_ids(drag.mimeData()) == ("c6", "c4")
        assert not drag.pixmap().isNull()
        drag.deleteLater()

    live_in(run, open_gui, profile, story)


def test_selected_chats_are_exported_to_one_file(
    run: Run, open_gui: OpenGui, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(gui: Gui) -> None:
        for title in ("Letter to the landlord", "Sea shanties"):
            click_title(gui, title, CONTROL)
        QTest.keyClick(gui.window, Qt.Key.Key_K, CONTROL)
        QTest.keyClicks(palette_of(gui)._field, "save chosen")
        assert offered(gui)[0] == "Save the chosen chats as JSON…"
        QTest.keyClick(palette_of(gui)._field, Qt.Key.Key_Return)
        dialog = next(each for each in gui.window.findChildren(QFileDialog) if each.isVisible())
        dialog.fileSelected.emit(str(tmp_path / "two.json"))
        dialog.close()
        await until(lambda: (tmp_path / "two.json").exists())

    live_in(run, open_gui, profile, story)
    both = chats_in(tmp_path / "two.json")
    assert [each.chat.title for each in both] == ["Letter to the landlord", "Sea shanties"]
    assert [each.folder.name if each.folder else "" for each in both] == ["Garden and gui", ""]


def test_open_chat_stays_selected_while_others_change(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        for title in ("Sea shanties", "Letter to the landlord"):
            click_title(gui, title, CONTROL)
        top = gui.chats.verticalScrollBar().value()
        gui.chats.chats.renamed.emit("c4", "Another name")
        gui.chats.requests.pin_requested.emit(("c7",), True)
        assert sorted(chosen(gui)) == ["Letter to the landlord", "Sea shanties"]
        assert gui.chats.verticalScrollBar().value() == top

    live_in(run, open_gui, profile, story)


def test_selected_row_stays_visible_above_the_selection_bar(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        gui.window.resize(1100, 560)
        view = gui.chats
        click_title(gui, "Reading group notes")
        await until(lambda: view.height() < 400)
        lowest = view.indexAt(view.viewport().rect().bottomLeft())
        click(gui, lowest, CONTROL)
        await until(lambda: bar_of(gui).isVisible())
        await until(lambda: view.viewport().rect().contains(view.visualRect(lowest)))
        bar_of(gui).resize(160, 38)
        assert bar_of(gui)._count.text() == "1"
        assert bar_of(gui).accessibleName() == "1 selected"

    live_in(run, open_gui, profile, story)
