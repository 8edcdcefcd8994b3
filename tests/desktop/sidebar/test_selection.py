"""Tests of selecting several chats, and of actions on them by mouse, keyboard, menu and command palette."""

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
    CONTROL,
    IGNORES_MENU_WARNING,
    INITIAL_ROWS,
    SHIFT,
    click,
    click_title,
    open_menu,
    run_in_window,
    selected_titles,
    selection_bar,
    trigger,
)

pytestmark = IGNORES_MENU_WARNING


def test_several_chats_are_selected_by_mouse_and_keyboard(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        view = gui.chats
        click_title(gui, "Sea shanties")
        await until(lambda: len(gui.rows) == 2)
        opened = gui.rows[0].chat_id
        for title in ("Sea shanties", "Titles for the talk"):
            click_title(gui, title, CONTROL)
        assert selected_titles(gui) == ["Sea shanties", "Titles for the talk"]
        assert selection_bar(gui)._count.text() == "2 chosen"
        click_title(gui, "Letter to the landlord", SHIFT)
        assert selected_titles(gui) == INITIAL_ROWS[6:7] + INITIAL_ROWS[9:12], "headings and folders are not selected"
        assert gui.rows[0].chat_id == opened, "selecting does not open a chat"
        QTest.keyClick(view, Qt.Key.Key_Escape)
        assert selection_bar(gui).isHidden()
        click_title(gui, "Sea shanties")
        view.setFocus()
        for _ in range(3):
            QTest.keyClick(view, Qt.Key.Key_Down, SHIFT)
        assert selected_titles(gui) == INITIAL_ROWS[9:12] + INITIAL_ROWS[13:14]
        QTest.keyClick(view, Qt.Key.Key_Up, SHIFT)
        assert selected_titles(gui) == INITIAL_ROWS[9:12]
        click_title(gui, "Rust borrow checker")
        assert selected_titles(gui) == ["Rust borrow checker"]
        QTest.keyClick(view, Qt.Key.Key_A, CONTROL)
        assert len(selected_titles(gui)) == 8

    run_in_window(run, open_gui, profile, story)


def test_several_chats_are_deleted_and_restored(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        click_title(gui, "Sea shanties", CONTROL)
        click_title(gui, "Titles for the talk", SHIFT)
        gui.chats.setFocus()
        QTest.keyClick(gui.chats, Qt.Key.Key_Delete)
        left = [title for title in INITIAL_ROWS if title not in ("Today", *INITIAL_ROWS[9:12])]
        assert titles(gui) == left
        assert gui.window.toast.text == "3 chats are deleted."
        gui.window.toast._action.click()
        assert titles(gui) == INITIAL_ROWS
        click_title(gui, "Garden plan for March", CONTROL)
        click_title(gui, "Letter to the landlord", CONTROL)
        next(each for each in selection_bar(gui).findChildren(QToolButton) if "Delete" in each.accessibleName()).click()
        assert "Letter to the landlord" not in titles(gui)

    run_in_window(run, open_gui, profile, story)

    async def again() -> None:
        async with open_gui() as gui:
            await until(lambda: titles(gui) == INITIAL_ROWS[:5] + INITIAL_ROWS[7:])

    run(again())


def test_context_menu_acts_on_all_selected_chats(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        chats = gui.chats.chats
        for title in ("Sea shanties", "Reading group notes"):
            click_title(gui, title, CONTROL)
        trigger(open_menu(gui, chats.index_of("c2")), "Move to", "Code")
        click(gui, chats.index_of_folder("code"))
        assert titles(gui)[6:10] == ["Code", "Sea shanties", "Reading group notes", "Kubernetes probes"]
        for title in ("Sea shanties", "Reading group notes"):
            click_title(gui, title, CONTROL)
        click_title(gui, "Code", CONTROL)
        trigger(open_menu(gui, chats.index_of("c2")), "Pin")
        assert titles(gui)[:4] == ["Pinned", "Sea shanties", "Reading group notes", "Rust borrow checker"]
        await until(lambda: not gui.chats.findChildren(QMenu))
        trigger(open_menu(gui, chats.index_of("c2")), "Unpin")
        assert "Sea shanties" in titles(gui)[8:10], "back in its folder"

    run_in_window(run, open_gui, profile, story)


def test_drag_contains_all_selected_chats(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        for title in ("Titles for the talk", "Letter to the landlord"):
            click_title(gui, title, CONTROL)
        drag = drag_of(gui.chats.selected_chats(), gui.chats.chats, gui.window.theme, gui.chats, 1.0)
        assert dragged_ids(drag.mimeData()) == ("c6", "c4")
        assert not drag.pixmap().isNull()
        drag.deleteLater()

    run_in_window(run, open_gui, profile, story)


def test_selected_chats_are_exported_to_one_file(
    run: Run, open_gui: OpenGui, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(gui: Gui) -> None:
        for title in ("Letter to the landlord", "Sea shanties"):
            click_title(gui, title, CONTROL)
        QTest.keyClick(gui.window, Qt.Key.Key_K, CONTROL)
        QTest.keyClicks(palette_of(gui)._field, "export selected")
        assert offered(gui)[0] == "Export the selected chats as JSON…"
        QTest.keyClick(palette_of(gui)._field, Qt.Key.Key_Return)
        dialog = next(each for each in gui.window.findChildren(QFileDialog) if each.isVisible())
        dialog.fileSelected.emit(str(tmp_path / "two.json"))
        dialog.close()
        await until(lambda: (tmp_path / "two.json").exists())

    run_in_window(run, open_gui, profile, story)
    both = chats_in(tmp_path / "two.json")
    assert [each.chat.title for each in both] == ["Letter to the landlord", "Sea shanties"]
    assert [each.folder.name if each.folder else "" for each in both] == ["Garden and house", ""]


def test_selection_is_kept_when_other_chats_change(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        for title in ("Sea shanties", "Letter to the landlord"):
            click_title(gui, title, CONTROL)
        top = gui.chats.verticalScrollBar().value()
        gui.chats.chats.renamed.emit("c4", "Another name")
        gui.chats.requests.pin_requested.emit(("c7",), True)
        assert sorted(selected_titles(gui)) == ["Letter to the landlord", "Sea shanties"]
        assert gui.chats.verticalScrollBar().value() == top

    run_in_window(run, open_gui, profile, story)


def test_selected_row_stays_visible_above_the_selection_bar(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        gui.window.resize(1100, 560)
        view = gui.chats
        click_title(gui, "Reading group notes")
        await until(lambda: view.height() < 400)
        lowest = view.indexAt(view.viewport().rect().bottomLeft())
        click(gui, lowest, CONTROL)
        await until(lambda: selection_bar(gui).isVisible())
        await until(lambda: view.viewport().rect().contains(view.visualRect(lowest)))
        selection_bar(gui).resize(160, 38)
        assert selection_bar(gui)._count.text() == "1"
        assert selection_bar(gui).accessibleName() == "1 chosen"

    run_in_window(run, open_gui, profile, story)
