"""Pages are created when they are first shown, and their features work before that."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from desktop.import_export.wiring import ImportExportWiring
from desktop.settings.page import SettingsPage
from desktop.shell.main_window import MainWindow
from desktop.shell.page_list import PAGES
from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until

OTHER_PAGES = [page for page in PAGES if page.id != "chat"]


def test_start_creates_only_the_chat_page(run: Run, open_gui: OpenGui) -> None:
    async def steps() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            assert list(gui.window._views) == ["chat"]
            assert gui.window.pages.count() == 1

    run(steps())


@pytest.mark.parametrize("page", OTHER_PAGES, ids=lambda page: page.id)
def test_page_opens_at_the_first_press_of_its_shortcut(run: Run, open_gui: OpenGui, page: object) -> None:
    async def steps() -> None:
        async with open_gui() as gui:
            gui.action(page.action_id or f"go_{page.id}").trigger()  # type: ignore[attr-defined]
            assert gui.window.is_page_shown(page.id)  # type: ignore[attr-defined]
            QTest.keyClick(gui.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
            assert gui.window.is_page_shown("chat")

    run(steps())


def test_settings_changed_before_the_page_exists_are_shown_on_it(run: Run, open_gui: OpenGui) -> None:
    async def steps() -> None:
        async with open_gui(theme="light") as gui:
            gui.action("looks_dark").trigger()
            gui.action("text_larger").trigger()
            assert gui.window.theme.scheme == "dark"
            gui.action("diagnostics").trigger()
            assert "Python" in QGuiApplication.clipboard().text()
            assert "settings" not in gui.window._views
            page = gui.window.view("settings", SettingsPage)
            assert page.row("theme").buttons["dark"].isChecked()

    run(steps())


def test_import_that_began_before_the_settings_page_exists_is_shown_on_it(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def steps() -> None:
        async with open_gui() as gui:
            file = profile.root / "notes.md"
            file.write_text("# A chat\n\n## User\n\nHello\n", encoding="utf-8")
            gui.window.findChild(ImportExportWiring).start_import(file)
            assert "settings" not in gui.window._views
            card = gui.window.view("settings", SettingsPage).import_export
            assert "notes.md" in card._import_status.text()
            await until(lambda: card._stop_import.isHidden())

    run(steps())


def test_endpoint_is_switched_before_its_page_exists(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def steps() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            switch = gui.action("switch_endpoint")
            switch.trigger()
            await until(lambda: switch.isChecked() and not gui.window.sidebar.page_buttons["endpoint"]._dot.isHidden())
            assert "endpoint" not in gui.window._views
            assert gui.endpoint_page._switch.isChecked()
            switch.trigger()
            await until(lambda: not switch.isChecked())
            assert not gui.endpoint_page._switch.isChecked()

    run(steps())


def test_window_closed_while_its_parts_are_created_closes_cleanly(run: Run, open_gui: OpenGui) -> None:
    async def steps() -> None:
        async def close_soon(window: MainWindow) -> None:
            for _ in range(4):
                await asyncio.sleep(0)
            window.close()

        async with open_gui(hurry=close_soon) as gui:
            assert gui.window.closing

    run(steps())
