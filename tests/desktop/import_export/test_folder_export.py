"""Tests of the export and import of folders in the window. Some of the folders are empty."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit

from desktop.import_export.formats import inglenook
from desktop.store.records import Folder
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.import_export.gui_driver import card_of, wiring_of
from tests.desktop.shell.test_main_window import titles
from tests.desktop.sidebar.sidebar_actions import CONTROL, IGNORES_MENU_WARNING, INITIAL_ROWS, SHIFT, run_in_window

pytestmark = IGNORES_MENU_WARNING


def test_export_of_all_chats_contains_empty_folders(
    run: Run, open_gui: OpenGui, profile: Profile, tmp_path: Path
) -> None:
    async def story(gui: Gui) -> None:
        QTest.keyClick(gui.window, Qt.Key.Key_N, CONTROL | SHIFT)
        editor = gui.chats.findChild(QLineEdit)
        assert isinstance(editor, QLineEdit)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        await until(lambda: gui.chats.findChild(QLineEdit) is None)
        card_of(gui).export_requested.emit()
        dialog = next(each for each in gui.window.findChildren(QFileDialog) if each.isVisible())
        dialog.fileSelected.emit(str(tmp_path / "all.json"))
        dialog.close()
        await until(lambda: (tmp_path / "all.json").exists())
        folder_id = next(each.id for each in gui.chats.chats.folders if each.name == "New folder")
        gui.chats.requests.delete_folder_requested.emit(folder_id)
        assert "New folder" not in titles(gui)
        wiring_of(gui).start_import(tmp_path / "all.json")
        await until(lambda: titles(gui) == [*INITIAL_ROWS[:8], "New folder", *INITIAL_ROWS[8:]])

    run_in_window(run, open_gui, profile, story)


def test_export_that_contains_only_folders_is_imported(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    (tmp_path / "bare.json").write_text(inglenook.document([], [Folder("g", "Garden"), Folder("h", "House", 1.0)]))

    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            wiring_of(gui).start_import(tmp_path / "bare.json")
            await until(lambda: titles(gui) == ["Folders", "Garden", "House"])
            assert card_of(gui)._import_status.text() == "2 empty folders imported."

    run(story())
