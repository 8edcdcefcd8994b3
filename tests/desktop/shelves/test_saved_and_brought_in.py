"""Folders in files: saved with all chats, and brought in again, also where they are empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit

from desktop.exchange import own
from desktop.store.records import Folder
from desktop.windows.settings_wiring import SettingsWiring
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.shelves.sidebar import AS_FILLED, CONTROL, MENUS, SHIFT, live_in
from tests.desktop.test_window import titles

pytestmark = MENUS


def test_saving_all_takes_empty_folders_along(
    run: Run, open_house: OpenHouse, profile: Profile, tmp_path: Path
) -> None:
    async def story(house: House) -> None:
        page: Any = house.window.settings_page
        QTest.keyClick(house.window, Qt.Key.Key_N, CONTROL | SHIFT)
        editor = house.chats.findChild(QLineEdit)
        assert isinstance(editor, QLineEdit)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        await until(lambda: house.chats.findChild(QLineEdit) is None)
        page.export_asked.emit()
        dialog = next(each for each in house.window.findChildren(QFileDialog) if each.isVisible())
        dialog.fileSelected.emit(str(tmp_path / "all.json"))
        dialog.close()
        await until(lambda: (tmp_path / "all.json").exists())
        folder_id = next(each.id for each in house.chats.chats.folders if each.name == "New folder")
        house.chats.folder_delete_asked.emit(folder_id)
        assert "New folder" not in titles(house)
        wiring: Any = house.window.findChild(SettingsWiring)
        wiring.bring_in(tmp_path / "all.json")
        await until(lambda: titles(house) == [*AS_FILLED[:8], "New folder", *AS_FILLED[8:]])

    live_in(run, open_house, profile, story)


def test_a_file_of_nothing_but_folders_is_brought_in(run: Run, open_house: OpenHouse, tmp_path: Path) -> None:
    (tmp_path / "bare.json").write_text(own.document([], [Folder("g", "Garden"), Folder("h", "House", 1.0)]))

    async def story() -> None:
        async with open_house() as house:
            await until(lambda: house.ready)
            wiring: Any = house.window.findChild(SettingsWiring)
            wiring.bring_in(tmp_path / "bare.json")
            await until(lambda: titles(house) == ["Folders", "Garden", "House"])
            page: Any = house.window.settings_page
            assert page._progress.text() == "2 empty folders came in."

    run(story())
