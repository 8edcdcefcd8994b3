"""Tests of the local models on the models page: folders, loading and unloading, by mouse and keyboard."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QFileDialog, QLineEdit, QProgressBar
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop.models import strings
from desktop.models.model_list import ModelList, ModelRow
from desktop.models.model_row_delegate import action_rects
from desktop.settings.settings_file import SettingsFile
from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.models.page_driver import REPO, click, names, page_of, rect_of, rows, save_folder, use_of
from tests.desktop.shell.test_main_window import ENDLESS, type_and_send
from tests.engine.library.fake_hub import FakeHub
from tests.model_files.sparse_model import write_sparse

NO_KEYS = Qt.KeyboardModifier.NoModifier


def test_model_list_updates_only_the_rows_that_changed(qtbot: QtBot, qtmodeltester: ModelTester) -> None:
    models = ModelList(strings.accessible_text)
    qtmodeltester.check(models)  # type: ignore[no-untyped-call]
    one, two, three = (ModelRow(key, "disk", key.upper()) for key in "abc")
    models.show([one, two])
    changed: list[int] = []
    models.dataChanged.connect(lambda first, last: changed.append(first.row()))
    models.show([three, one, ModelRow("b", "disk", "B", use="in_use")])
    assert changed == [2]
    assert [models.index(n).data() for n in range(3)] == ["C", "A", "B"]
    assert models.index(2).data(Qt.ItemDataRole.AccessibleTextRole) == "B, In use"
    models.show([])
    assert models.rowCount() == 0


@pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform logs this warning for dialogs
def test_models_of_added_folder_are_listed_until_it_is_removed(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    async def story() -> None:
        async with open_gui(model=False) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            assert gui.window.pages.currentWidget() is page
            page.header.add_folder.click()
            dialog = gui.window.findChild(QFileDialog)
            assert dialog is not None
            dialog.fileSelected.emit(str(model_folder))
            dialog.close()
            await until(lambda: len(rows(page.local_models.view)) == 3)
            assert names(page.local_models.view) == ["Alpha", "Beta", "Gamma"]
            gamma = rows(page.local_models.view)[2]
            assert strings.explanation(gamma) == "The file cannot be used: the file is not a GGUF model."
            assert not gamma.can_load
        assert SettingsFile(profile.settings).value.model_folders == [str(model_folder)]
        async with open_gui(model=False) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: len(rows(page.local_models.view)) == 3)
            chip = page.local_models.chips.findChildren(QAbstractButton)[0]
            assert chip.accessibleName() == f"Remove the folder {strings.folder_name(model_folder)}"
            chip.click()
            await until(lambda: rows(page.local_models.view) == [])
            assert "There is no model yet" in page.local_models.empty.text()

    run(story())
    assert sorted(path.name for path in model_folder.iterdir()) == ["Alpha-Q4_0.gguf", "Beta-Q8_0.gguf", "Gamma.gguf"]


def test_buttons_of_model_row_load_and_unload_the_model(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    save_folder(profile, model_folder)

    async def story() -> None:
        async with open_gui(model=False) as gui:
            view = page_of(gui).local_models.view
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: len(rows(view)) == 3 and rows(view)[0].fit is not None)
            click(view, "Alpha", "load")
            await until(lambda: use_of(gui, "Alpha") == "in_use")
            assert gui.ready
            click(view, "Beta", "load")
            await until(lambda: use_of(gui, "Beta") == "in_use")
            assert use_of(gui, "Alpha") == ""
            assert names(view)[0] == "Beta", "the model in use is listed first"
            click(view, "Beta", "unload")
            await until(lambda: use_of(gui, "Beta") == "")
            assert not gui.ready
        assert SettingsFile(profile.settings).value.model_path == str(model_folder / "Beta-Q8_0.gguf")

    run(story())


@pytest.mark.skipif(sys.platform != "linux", reason="file names are UTF-16 or UTF-8 on this system")
def test_model_in_folder_with_non_utf8_name_is_loaded(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    folder = Path(os.fsdecode(os.fsencode(model_folder.parent) + b"/regal-\xe4"))
    model_folder.rename(folder)
    strange = folder / os.fsdecode(b"Caf\xe9-Q4_0.gguf")
    shutil.copy(folder / "Alpha-Q4_0.gguf", strange)
    save_folder(profile, folder)

    async def story() -> None:
        async with open_gui(model=False) as gui:
            view = page_of(gui).local_models.view
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: len(rows(view)) == 4 and rows(view)[0].fit is not None)
            assert "".join(sorted(names(view))).isprintable()
            name = next(row.name for row in rows(view) if row.path == strange)
            click(view, name, "load")
            await until(lambda: use_of(gui, name) == "in_use")
        assert SettingsFile(profile.settings).value.model_path == str(strange)

    run(story())


def test_double_click_on_load_button_loads_only_one_model(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    save_folder(profile, model_folder)

    async def story() -> None:
        async with open_gui(model=False) as gui:
            view, left = page_of(gui).local_models.view, Qt.MouseButton.LeftButton
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: len(rows(view)) == 3 and rows(view)[0].fit is not None)
            click(view, "Alpha", "load")
            await until(lambda: use_of(gui, "Alpha") == "in_use")
            where = rect_of(view, "Beta", "load").center()
            QTest.mouseClick(view.viewport(), left, pos=where)
            await until(lambda: use_of(gui, "Beta") == "in_use")
            assert rect_of(view, "Alpha", "load").contains(where), "the rows have changed places"
            performed: list[str] = []
            view.action_requested.connect(lambda action, row: performed.append(f"{action} {row.name}"))
            second = QMouseEvent(
                QEvent.Type.MouseButtonDblClick, where, view.viewport().mapToGlobal(where), left, left, NO_KEYS
            )
            QApplication.sendEvent(view.viewport(), second)
            QTest.mouseRelease(view.viewport(), left, pos=where)
            QTest.mousePress(view.viewport(), left, pos=QPoint(20, where.y()))
            QTest.mouseRelease(view.viewport(), left, pos=where)
            assert performed == []
            click(view, "Alpha", "load")
            assert performed == ["load Alpha"]

    run(story())


def test_answer_interrupted_by_model_change_can_be_continued(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    save_folder(profile, model_folder)

    async def story() -> None:
        async with open_gui(ENDLESS) as gui:
            view = page_of(gui).local_models.view
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: gui.ready and len(rows(view)) == 4 and rows(view)[1].fit is not None)
            type_and_send(gui, "Go on and on")
            await until(lambda: len(gui.rows[-1].text) > 10)
            click(view, "Beta", "load")
            await until(lambda: gui.rows[-1].state == "failed" and use_of(gui, "Beta") == "in_use")
            assert gui.rows[-1].note == "The model was unloaded before this answer was complete."
            written = gui.rows[-1].text
            gui.transcript.continue_requested.emit(gui.rows[-1].id)
            await until(lambda: len(gui.rows[-1].text) > len(written))

    run(story())


def test_model_is_loaded_and_its_settings_are_opened_by_keyboard(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    save_folder(profile, model_folder)

    async def story() -> None:
        async with open_gui(model=False) as gui:
            page = page_of(gui)
            view = page.local_models.view
            gui.window.resize(600, 450)
            QTest.keyClick(gui.window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
            await until(lambda: len(rows(view)) == 3 and rows(view)[0].fit is not None)
            page.header.search.setFocus()
            QTest.keyClick(page.header.search, Qt.Key.Key_Down)
            assert view.hasFocus()
            assert view.currentIndex().row() == 0
            QTest.keyClick(view, Qt.Key.Key_Return)
            await until(lambda: use_of(gui, "Alpha") == "in_use")
            QTest.keyClick(view, Qt.Key.Key_Space)
            assert page.sheet.isVisible()
            assert page.sheet.context.edit.hasFocus()
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            assert not page.sheet.isVisible()
            assert view.hasFocus()
            QTest.keyClick(view, Qt.Key.Key_Down)
            QTest.keyClick(view, Qt.Key.Key_Down)
            QTest.keyClick(view, Qt.Key.Key_Down)
            assert not view.hasFocus(), "Down on the last row moves to the next list"

    run(story())


def test_model_that_is_too_big_cannot_be_loaded(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, tmp_path: Path, profile: Profile
) -> None:
    write_sparse(tmp_path / "big" / "Giant-900B-Q4_K_M.gguf", n_bytes=500 * 10**9, n_layers=100)
    save_folder(profile, tmp_path / "big")

    async def story() -> None:
        async with open_gui(model=False) as gui:
            view = page_of(gui).local_models.view
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: rows(view) and rows(view)[0].fit is not None)
            giant = rows(view)[0]
            assert strings.verdict(giant) == "Too big"
            assert strings.speed(giant.fit).startswith("needs 500")
            assert "are free" in strings.explanation(giant)
            assert not giant.can_load
            index = view.model().index(0, 0)
            assert "load" not in action_rects(view.visualRect(index), giant, hovered=True)

    run(story())


def test_controls_and_rows_of_models_page_have_accessible_names(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    save_folder(profile, model_folder)
    fake_hub.bytes_per_s = 30_000

    async def story() -> None:
        async with open_gui(model=False) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(
                lambda: len(rows(page.local_models.view)) == 3 and rows(page.local_models.view)[0].fit is not None
            )
            page.action_requested.emit("download", ModelRow(REPO, "hub", "Tiny Chat"))
            click(page.local_models.view, "Alpha", "settings")
            await until(lambda: page.downloads.cards)
            kinds = (QAbstractButton, QLineEdit, QAbstractItemView, QProgressBar)
            nameless = [
                control
                for kind in kinds
                for control in page.findChildren(kind)
                if control.isVisible() and not control.accessibleName()
                if not (isinstance(control, QAbstractButton) and control.text())
            ]
            assert nameless == []
            spoken = QAccessible.queryAccessibleInterface(page.local_models.view).child(0)
            assert spoken.text(QAccessible.Text.Name).startswith("Alpha, Q4_0")

    run(story())


def test_row_of_model_being_loaded_has_cancel_button_only_on_hover() -> None:
    row = ModelRow("a", "disk", "A", use="loading", progress=0.3)
    assert "cancel" in action_rects(QRect(0, 0, 800, 58), row, hovered=True)
    assert "cancel" not in action_rects(QRect(0, 0, 800, 58), row, hovered=False), "without hover the progress is shown"
